"""Looks at a region before ordering: asked for here, made by a stylizer worker, gone after ten minutes."""
