// @ts-check

/** Where the look-alike API lives. The page may be served from anywhere, for example from S3. */
export const API = new URL('/', location.href);

/** How many look-alikes to ask for. */
export const LOOKALIKES = 5;

/** The server refuses larger photos; told here so that one is not sent in vain. */
export const MAX_PHOTO_BYTES = 10 * 1024 * 1024;
