// @ts-check

/**
 * @typedef {import('./api.js').Face['box']} Box
 * @typedef {{width: number, height: number}} Size
 * @typedef {{left: string, top: string, width: string, height: string}} Place CSS lengths
 */

/** How much larger than the face the square around it is. */
const ROOM = 2;
/** The face stands a little above the middle of the square, as in a portrait. */
const FACE_MIDDLE = 0.46;

/**
 * Where to mark a face on a photo of any displayed size.
 *
 * @param {Box} box
 * @param {Size} photo
 * @returns {Place}
 */
export function markPlace([x, y, width, height], photo) {
  return {
    left: percent(x / photo.width),
    top: percent(y / photo.height),
    width: percent(width / photo.width),
    height: percent(height / photo.height),
  };
}

/**
 * Where the whole photo lies in a square frame that shows just the face and some room around it.
 *
 * @param {Box} box
 * @param {Size} photo
 * @returns {Place}
 */
export function cropPlace(box, photo) {
  const { x, y, side } = faceSquare(box, photo);
  return {
    left: percent(-x / side),
    top: percent(-y / side),
    width: percent(photo.width / side),
    height: percent(photo.height / side),
  };
}

/**
 * The square around a face, moved and shrunk where needed so that it stays inside the photo.
 *
 * @param {Box} box
 * @param {Size} photo
 */
export function faceSquare([x, y, width, height], photo) {
  const side = Math.min(ROOM * Math.max(width, height), photo.width, photo.height);
  return {
    x: clamp(x + width / 2 - side / 2, photo.width - side),
    y: clamp(y + height / 2 - side * FACE_MIDDLE, photo.height - side),
    side,
  };
}

/**
 * @param {number} value
 * @param {number} most
 */
function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}

/** @param {number} ratio */
function percent(ratio) {
  return `${(100 * ratio).toFixed(3)}%`;
}
