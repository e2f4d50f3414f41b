"""The site's pages. Rules and calls are the app's: these only choose, start and show."""
