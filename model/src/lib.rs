//! What correct means, written a second time and simply
