drop index movies_collection_idx;
