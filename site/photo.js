// @ts-check
import { MAX_PHOTO_BYTES } from './config.js';
import { Problem } from './problem.js';

/** Larger photos find no better look-alikes and only take longer to send, in pixels. */
const LONG_SIDE = 1280;
const JPEG_QUALITY = 0.9;

/**
 * A photo as it is sent to the server and shown.
 *
 * @typedef {object} Photo
 * @property {Blob} blob
 * @property {string} url valid until the photo is released
 * @property {number} width in pixels, upright
 * @property {number} height
 */

/**
 * Makes the photo that is sent: upright, not needlessly large, and without what the camera wrote
 * beside the picture, such as the place.
 *
 * @param {Blob} file
 * @returns {Promise<Photo>}
 * @throws {Problem} when this browser cannot decode it
 */
export async function preparePhoto(file) {
  const bitmap = await decoded(file);
  const { width, height } = fitted(bitmap, LONG_SIDE);
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  if (context) {
    context.imageSmoothingQuality = 'high';
    context.fillStyle = 'white'; // JPEG has no transparency.
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0, width, height);
  }
  bitmap.close();
  /** @type {Blob | null} */
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', JPEG_QUALITY));
  if (!context || !blob) {
    throw new Problem('notAPhoto');
  }
  if (blob.size > MAX_PHOTO_BYTES) {
    throw new Problem('tooLarge');
  }
  return { blob, url: URL.createObjectURL(blob), width, height };
}

/**
 * Gives the memory of the picture back.
 *
 * @param {Photo} photo
 */
export function releasePhoto({ url }) {
  URL.revokeObjectURL(url);
}

/** @param {Blob} file */
async function decoded(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    const head = new Uint8Array(await file.slice(0, 12).arrayBuffer().catch(() => new ArrayBuffer(0)));
    throw new Problem(isHeic(head) ? 'heic' : 'notAPhoto');
  }
}

/**
 * Whether a file that begins like this is a HEIC photo, as iPhones take them: a box `ftyp` whose
 * brand is one of ISO/IEC 23008-12, annexes B and D.
 *
 * @param {Uint8Array} head its first twelve bytes
 */
export function isHeic(head) {
  return /^....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)/s.test(String.fromCharCode(...head));
}

/**
 * The size that keeps the proportions and whose long side is at most `longSide`.
 *
 * @param {{width: number, height: number}} size
 * @param {number} longSide
 */
export function fitted({ width, height }, longSide) {
  const scale = Math.min(1, longSide / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}
