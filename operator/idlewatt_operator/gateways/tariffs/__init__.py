"""Tariffs from elsewhere: files of prices and carbon, and services that publish them."""
