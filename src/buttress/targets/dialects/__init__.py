"""The forms of question and answer of the providers' own chat APIs."""
