"""The completeness receipt: built from plan, marks and timeline; written as JSON and as a page."""
