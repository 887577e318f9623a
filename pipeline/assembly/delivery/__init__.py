"""A master → finished files: encoded, tagged, chaptered, named."""
