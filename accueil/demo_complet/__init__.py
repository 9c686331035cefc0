"""Un site entier aux données inventées, pour l'essayer comme après cinq ans de plan.

`recits/` dit ce qui arrive à chaque action ; le reste l'écrit, par les méthodes du produit et dans l'ordre où des
agents l'auraient saisi. Un seul tirage (`calendrier.GRAINE`) : deux bases vides reçoivent le même site.
"""
