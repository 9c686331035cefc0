"""Les actions dans un classeur, dans les deux sens : ce qui sort se relit tel quel."""
