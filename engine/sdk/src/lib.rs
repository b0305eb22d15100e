//! What an application uses: actors, the serverless handler, the session with the engine
