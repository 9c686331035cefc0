"""Ce qu'une agglomération inventée tient de ses achats : registre des consultations, mandats, contrats publiés.

Les consultations, les fournisseurs et les montants sont inventés ; les communes et leurs codes postaux sont vrais, le
calcul de la part locale en a besoin.
"""
