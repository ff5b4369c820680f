"""The methods, one a file; `natslib.weight_sharing.METHODS` names them."""
