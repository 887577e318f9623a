"""The Engine protocol and the engines: text → audio, one result or one error per chunk."""
