"""Networks: tensors in, tensors out; and the run folders that hold them."""
