//! The words of the platform: ids, wire messages, API types, errors, views, marks
