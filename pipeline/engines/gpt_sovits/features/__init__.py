"""What the models listen to and read: features of audio and of text."""
