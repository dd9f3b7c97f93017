//! What broker and controller share: the apis! table, dispatch, authorization, admission.
