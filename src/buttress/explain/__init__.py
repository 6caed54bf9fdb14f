"""Why a model that can only be asked decides as it does: words removed, one question each."""
