"""Files -> records: finding, unpacking, cutting and parsing them."""
