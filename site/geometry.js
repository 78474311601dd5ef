// @ts-check

/**
 * @typedef {import('./api.js').Eyes} Eyes
 * @typedef {import('./api.js').Face['box']} Box
 * @typedef {{width: number, height: number}} Size
 * @typedef {Partial<Record<'left' | 'top' | 'width' | 'height' | 'transform' | 'transformOrigin', string>>} Place CSS
 *
 * How a picture lies in a square frame: its pixel `center` at `EYES_AT`, turned and enlarged.
 *
 * @typedef {object} Pose
 * @property {[number, number]} center between the eyes, in pixels of the picture
 * @property {number} angle of the line between the eyes, in radians; the picture is turned back by it
 * @property {number} scale frames per pixel
 */

/** Where the middle between the eyes comes to lie, in shares of the frame. */
const EYES_AT = /** @type {const} */ ([0.5, 0.42]);
/** How far apart the eyes come to lie: as far as shows the head, further where the picture ends. */
const CLOSEST = 0.2;
const WIDEST = 0.42;

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
 * How pictures lie in frames of one size so that their eyes are in the same places: as small as
 * fills the frames with all of them, if that can be.
 *
 * @param {{size: Size, eyes: Eyes}[]} pictures
 * @returns {Pose[]}
 */
export function aligned(pictures) {
  const at = (/** @type {number} */ apart) => pictures.map(({ eyes }) => poseOf(eyes, apart));
  for (let apart = CLOSEST; apart < WIDEST; apart += 0.01) {
    const poses = at(apart);
    if (poses.every((pose, index) => fillsFrame(pose, pictures[index].size))) {
      return poses;
    }
  }
  return at((CLOSEST + WIDEST) / 2);
}

/**
 * The pose in CSS, for a picture that is positioned in its frame.
 *
 * @param {Pose} pose
 * @param {Size} size
 * @returns {Place}
 */
export function posePlace({ center: [x, y], angle, scale }, { width, height }) {
  return {
    left: percent(EYES_AT[0] - x * scale),
    top: percent(EYES_AT[1] - y * scale),
    width: percent(width * scale),
    height: percent(height * scale),
    transformOrigin: `${percent(x / width)} ${percent(y / height)}`,
    transform: `rotate(${(-angle).toFixed(4)}rad)`,
  };
}

/**
 * Draws a picture in its pose into a square of a canvas.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {CanvasImageSource} picture
 * @param {Pose} pose
 * @param {{x: number, y: number, side: number}} square
 */
export function drawPosed(context, picture, { center, angle, scale }, { x, y, side }) {
  context.save();
  context.beginPath();
  context.rect(x, y, side, side);
  context.clip();
  context.translate(x + EYES_AT[0] * side, y + EYES_AT[1] * side);
  context.rotate(-angle);
  context.scale(scale * side, scale * side);
  context.drawImage(picture, -center[0], -center[1]);
  context.restore();
}

/**
 * Where the eyes usually are in the box around a face.
 *
 * @param {Box} box
 * @returns {Eyes}
 */
export function usualEyes([x, y, width, height]) {
  return [
    [x + 0.3 * width, y + 0.4 * height],
    [x + 0.7 * width, y + 0.4 * height],
  ];
}

/**
 * Where the face usually is in a portrait, which is three faces high.
 *
 * @param {Size} portrait
 * @returns {Box}
 */
export function usualBox({ width, height }) {
  return [0.37 * width, 0.33 * height, 0.26 * width, 0.34 * height];
}

/**
 * @param {Eyes} eyes
 * @param {number} apart
 * @returns {Pose}
 */
function poseOf([[leftX, leftY], [rightX, rightY]], apart) {
  const distance = Math.hypot(rightX - leftX, rightY - leftY) || 1;
  return {
    center: [(leftX + rightX) / 2, (leftY + rightY) / 2],
    angle: Math.atan2(rightY - leftY, rightX - leftX),
    scale: apart / distance,
  };
}

/**
 * @param {Pose} pose
 * @param {Size} size
 */
function fillsFrame({ center: [x, y], angle, scale }, { width, height }) {
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  return [0, 1].every((right) =>
    [0, 1].every((bottom) => {
      const [dx, dy] = [right - EYES_AT[0], bottom - EYES_AT[1]];
      const [px, py] = [x + dx * cos - dy * sin, y + dx * sin + dy * cos];
      return px >= 0 && px <= width && py >= 0 && py <= height;
    }),
  );
}

/** @param {number} ratio */
function percent(ratio) {
  return `${(100 * ratio).toFixed(3)}%`;
}
