// @ts-check
import { MAX_PHOTO_BYTES } from './config.js';
import { Problem } from './problem.js';

/** Larger photos find no better look-alikes and only take longer to send, in pixels. */
const LONG_SIDE = 1600;
const JPEG_QUALITY = 0.92;

/**
 * A photo as it is sent to the server.
 *
 * @typedef {object} Photo
 * @property {Blob} blob
 * @property {Preview | null} preview `null` when this browser cannot show the photo
 *
 * @typedef {object} Preview
 * @property {string} url valid until the photo is released
 * @property {number} width in pixels, upright
 * @property {number} height
 */

/**
 * Makes the photo that is sent: upright, not needlessly large, and without what the camera wrote
 * beside the picture, such as the place. A picture that this browser cannot decode goes as it is.
 *
 * @param {File} file
 * @returns {Promise<Photo>}
 * @throws {Problem}
 */
export async function preparePhoto(file) {
  if (file.type !== '' && !file.type.startsWith('image/')) {
    throw new Problem('notAPhoto');
  }
  const photo = (await redrawn(file)) ?? { blob: file, preview: null };
  if (photo.blob.size > MAX_PHOTO_BYTES) {
    throw new Problem('tooLarge');
  }
  return photo;
}

/**
 * Gives the memory of the preview back.
 *
 * @param {Photo} photo
 */
export function releasePhoto(photo) {
  if (photo.preview) {
    URL.revokeObjectURL(photo.preview.url);
  }
}

/**
 * @param {File} file
 * @returns {Promise<Photo | null>} `null` when this browser cannot decode the file
 */
async function redrawn(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    return null;
  }
  const canvas = document.createElement('canvas');
  ({ width: canvas.width, height: canvas.height } = fitted(bitmap, LONG_SIDE));
  const context = canvas.getContext('2d');
  if (context) {
    context.imageSmoothingQuality = 'high';
    context.fillStyle = 'white'; // JPEG has no transparency.
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  }
  bitmap.close();
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', JPEG_QUALITY));
  if (!context || !blob) {
    return null;
  }
  return { blob, preview: { url: URL.createObjectURL(blob), width: canvas.width, height: canvas.height } };
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
