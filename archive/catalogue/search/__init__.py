"""Finding: how text becomes lexemes (`lexemes`), what is written for each item (`indexing`), what a person asks
(`asking`, `wanted`), and what answers (`facets`, `finding`).
"""
