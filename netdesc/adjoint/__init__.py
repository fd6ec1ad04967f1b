"""EventProp on the host, for every backend whose adjoint runs there."""
