"""The GPT stage: phonemes and a prompt → semantic tokens, 25 a second."""
