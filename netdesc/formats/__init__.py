"""The one place where files that others wrote are opened: each is checked before memory is given to it.

Every reader refuses what is not a regular file, compares what the file announces (shape, type, expanded
size) with what is stored and with a limit in bytes, and only then allocates. What is wrong becomes a
`netdesc.errors.DescriptionError` that names the file, what was expected, what was found and a fix;
`netdesc.formats.source.at` adds the path in the description.

=============  ==========================================================================
`hdf5`         groups, datasets and attributes of an HDF5 file, nothing outside of it
`npy`          arrays in NPY and NPZ files, never pickled objects
`csv`          tables of numbers and texts, whatever separates their cells
`idx`          arrays of bytes in IDX files, compressed or not
`compressed`   the bytes of a plain or gzip file
=============  ==========================================================================
"""
