"""The pages: the only room that imports gradio. One file a page, one style sheet, one script for the ballot."""
