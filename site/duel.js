// @ts-check
import { crossOrigin, pictureAddress } from './api.js';
import { element, placed } from './dom.js';
import { aligned, posePlace, usualBox, usualEyes } from './geometry.js';

/**
 * @typedef {import('./api.js').Face} Face
 * @typedef {import('./api.js').LookAlike} LookAlike
 * @typedef {import('./geometry.js').Pose} Pose
 * @typedef {import('./photo.js').Photo} Photo
 * @typedef {import('./i18n.js').Translator} Translator
 *
 * A face of the visitor's photo and somebody who looks like it.
 *
 * @typedef {object} Duel
 * @property {Photo} photo
 * @property {Face} face
 * @property {LookAlike} lookAlike
 */

/**
 * The two pictures of a duel, decoded, and how each lies in its frame.
 *
 * @param {Duel} duel
 * @param {HTMLImageElement} photo
 * @param {HTMLImageElement} portrait
 */
export async function alignedPair({ face, lookAlike }, photo, portrait) {
  await Promise.all([photo.decode(), portrait.decode()]);
  const size = (/** @type {HTMLImageElement} */ picture) => ({ width: picture.naturalWidth, height: picture.naturalHeight });
  const [photoSize, portraitSize] = [size(photo), size(portrait)];
  const pictures = [
    { picture: photo, size: photoSize, eyes: face.eyes ?? usualEyes(face.box) },
    { picture: portrait, size: portraitSize, eyes: eyesOf(lookAlike, portraitSize) },
  ];
  const poses = aligned(pictures);
  return pictures.map((one, index) => ({ ...one, pose: poses[index] }));
}

/**
 * @param {LookAlike} lookAlike
 * @param {{width: number, height: number}} size of the portrait
 */
export function eyesOf({ portrait_eyes: eyes }, size) {
  return eyes ?? usualEyes(usualBox(size));
}

/**
 * @param {LookAlike} lookAlike
 * @param {string} alt
 */
export function portraitPicture({ portrait }, alt) {
  return element('img', { crossOrigin, src: pictureAddress(portrait), alt });
}

/** `<face-duel>`: photo and portrait aligned on the eyes, in one frame to wipe between them and side by side. */
export class FaceDuel extends HTMLElement {
  /**
   * @param {Duel} duel
   * @param {Translator} translator
   */
  async show(duel, translator) {
    const { name } = duel.lookAlike.person;
    const photoAlt = translator.text('photo.cropAlt');
    const portraitAlt = translator.text('found.portraitAlt', { name });
    const photo = element('img', { src: duel.photo.url, alt: photoAlt });
    const portrait = portraitPicture(duel.lookAlike, portraitAlt);
    // The same pictures again, so that nobody hears of them twice.
    const [left, right] = [element('img', { src: photo.src, alt: '' }), portraitPicture(duel.lookAlike, '')];
    const wipe = element(
      'div',
      { className: 'wipe' },
      element('div', { className: 'layer' }, portrait),
      element('div', { className: 'layer top' }, photo),
      this.#slider(translator.text('found.wipe', { name }), translator),
      element('span', { className: 'handle', ariaHidden: 'true' }),
    );
    const pair = element(
      'div',
      { className: 'pair' },
      captioned(left, translator.text('found.you')),
      captioned(right, name),
    );
    this.classList.remove('ready', 'held');
    this.replaceChildren(wipe, pair);
    try {
      const posed = await alignedPair(duel, photo, portrait);
      for (const [index, copy] of [left, right].entries()) {
        const { picture, pose, size } = posed[index];
        placed(picture, posePlace(pose, size));
        placed(copy, posePlace(pose, size));
      }
    } catch {
      // A portrait that does not load: its place says whose it is.
    }
    this.classList.add('ready');
  }

  /**
   * Adds the face between the two.
   *
   * @param {string} url
   * @param {Translator} translator
   */
  addBlend(url, translator) {
    const picture = element('img', { src: url, alt: '', className: 'whole' });
    this.querySelector('.pair')?.append(captioned(picture, translator.text('found.blend')));
  }

  /**
   * @param {string} label
   * @param {Translator} translator
   */
  #slider(label, translator) {
    const slider = element('input', { type: 'range', min: '0', max: '100', value: '50', ariaLabel: label });
    const apply = () => {
      this.style.setProperty('--cut', `${slider.value}%`);
      slider.ariaValueText = translator.text('found.wiped', { percent: translator.percent(Number(slider.value) / 100) });
    };
    slider.addEventListener('input', () => {
      this.classList.add('held'); // Follows at once, from now on.
      apply();
    });
    apply();
    return slider;
  }
}

/**
 * @param {HTMLImageElement} picture
 * @param {string} caption
 */
function captioned(picture, caption) {
  return element('figure', {}, element('div', { className: 'frame' }, picture), element('figcaption', {}, caption));
}

customElements.define('face-duel', FaceDuel);
