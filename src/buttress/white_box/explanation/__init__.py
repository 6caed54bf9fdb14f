"""Why a model answers as it does: attributions to tokens with their faithfulness, and its layers."""
