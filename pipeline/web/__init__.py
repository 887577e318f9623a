"""The web, which is not trusted: who may be asked, what may be fetched, what is told."""
