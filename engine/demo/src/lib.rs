//! An application to read and to try
