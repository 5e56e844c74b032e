"""Makes the weights of the engine anew: `python -m training NAME`. No part of the installed package."""
