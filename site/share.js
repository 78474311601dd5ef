// @ts-check
import { alignedPair, portraitPicture } from './duel.js';
import { element } from './dom.js';
import { drawPosed } from './geometry.js';

/**
 * @typedef {import('./duel.js').Duel} Duel
 * @typedef {import('./i18n.js').Translator} Translator
 */

const SIDE = 1080;
const EDGE = 48;
const GAP = 12;

/**
 * Makes a picture of a duel and hands it to the system's share sheet, or saves it where there is none.
 *
 * @param {Duel} duel
 * @param {Translator} translator
 * @returns {Promise<'shared' | 'saved' | 'cancelled'>}
 */
export async function shareCard(duel, translator) {
  const card = await drawCard(duel, translator);
  const file = new File([card], `${duel.lookAlike.person.id}.png`, { type: card.type });
  if (navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file], title: document.title });
      return 'shared';
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') {
        return 'cancelled';
      }
      // The sheet does not open, for example because the tap is too long ago: save instead.
    }
  }
  const url = URL.createObjectURL(file);
  element('a', { href: url, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // The browser may still be reading it.
  return 'saved';
}

/**
 * A square picture: the two faces side by side, the name, the similarity, and where it was made.
 *
 * @param {Duel} duel
 * @param {Translator} translator
 * @returns {Promise<Blob>}
 */
async function drawCard(duel, translator) {
  const { lookAlike, photo } = duel;
  const pictures = await alignedPair(duel, element('img', { src: photo.url }), portraitPicture(lookAlike, ''));
  const canvas = element('canvas', { width: SIDE, height: SIDE });
  const context = canvas.getContext('2d');
  if (!context) {
    throw new Error('this browser draws no pictures');
  }
  context.fillStyle = '#faf8f5';
  context.fillRect(0, 0, SIDE, SIDE);
  const side = (SIDE - 2 * EDGE - GAP) / 2;
  const top = 180;
  context.save();
  context.beginPath();
  context.roundRect(EDGE, top, SIDE - 2 * EDGE, side, 36);
  context.clip();
  context.fillStyle = '#efeae3';
  context.fillRect(EDGE, top, SIDE - 2 * EDGE, side);
  context.imageSmoothingQuality = 'high';
  for (const [index, { picture, pose }] of pictures.entries()) {
    drawPosed(context, picture, pose, { x: EDGE + index * (side + GAP), y: top, side });
  }
  context.restore();

  const { fontFamily } = getComputedStyle(document.body);
  const line = (/** @type {string} */ text, /** @type {number} */ y, /** @type {number} */ size, /** @type {string} */ color) => {
    context.fillStyle = color;
    let fitting = size;
    do {
      context.font = `650 ${fitting}px ${fontFamily}`;
      fitting -= 2;
    } while (fitting > 16 && context.measureText(text).width > SIDE - 2 * EDGE);
    context.fillText(text, SIDE / 2, y);
  };
  context.textAlign = 'center';
  line(translator.text('share.title'), 120, 52, '#211d19');
  line(lookAlike.person.name, top + side + 110, 72, '#211d19');
  line(translator.percent(lookAlike.similarity), top + side + 230, 112, '#b8432f');
  line(location.host, SIDE - EDGE, 30, '#6a6159');
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('no picture'))), 'image/png'));
}
