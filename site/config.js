// @ts-check

/** Where the look-alike API lives: here, where the page came from; any other URL does as well. */
export const API = new URL('/', import.meta.url);

/**
 * Where visitors can read what the server does with their photo: what it says itself, or the
 * address where its code is published.
 */
export const SOURCE = new URL('source', API);

/** How many look-alikes to ask for. */
export const LOOKALIKES = 5;

/** The server refuses larger photos; known here so that none is sent in vain. */
export const MAX_PHOTO_BYTES = 10_000_000;
