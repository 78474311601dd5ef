// @ts-check

/** Where the look-alike API lives: here, where the page came from; any other URL does as well. */
export const API = new URL('/', import.meta.url);

/**
 * Where this site's source code is published, for visitors who want to read what the server does
 * with their photo, such as `https://example.org/look-alikes`; `null` where it is not.
 *
 * @type {string | null}
 */
export const SOURCE = null;

/** How many look-alikes to ask for. */
export const LOOKALIKES = 5;

/** The server refuses larger photos; known here so that none is sent in vain. */
export const MAX_PHOTO_BYTES = 10_000_000;
