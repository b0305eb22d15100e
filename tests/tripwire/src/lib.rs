//! Nothing to link: the test beside it is what this package is for.
