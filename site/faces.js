// @ts-check
import { element, placed } from './dom.js';
import { markPlace } from './geometry.js';

/**
 * @typedef {import('./photo.js').Photo} Photo
 * @typedef {import('./session.js').State} State
 * @typedef {import('./i18n.js').Translator} Translator
 */

/** `<marked-photo>`: the visitor's photo with its faces marked; several faces are buttons to choose from. */
export class MarkedPhoto extends HTMLElement {
  /** @type {(face: number) => void} */
  onchoose = () => {};
  /** What the marks were made for: they are kept, and with them the focus, while it is the same. */
  #shown = '';

  /**
   * @param {State} state
   * @param {Translator} translator
   */
  show({ photo, faces, face, step }, translator) {
    this.classList.toggle('busy', step === 'preparing' || step === 'searching');
    this.classList.toggle('several', faces.length > 1);
    const shown = `${photo?.url} ${faces.length} ${translator.language}`;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.replaceChildren(...(photo ? this.#drawn(photo, faces, translator) : []));
    }
    for (const mark of this.querySelectorAll('button')) {
      mark.setAttribute('aria-pressed', String(mark.value === String(face)));
    }
  }

  /**
   * @param {Photo} photo
   * @param {State['faces']} faces
   * @param {Translator} translator
   */
  #drawn(photo, faces, translator) {
    const { url, width, height } = photo;
    const picture = element('img', { src: url, width, height, alt: translator.text('photo.alt') });
    const fromLeft = faces.map(({ box }, index) => ({ box, index })).sort((a, b) => a.box[0] - b.box[0]);
    const marks = fromLeft.map(({ box, index }, order) => {
      const mark =
        faces.length === 1
          ? element('span', { className: 'mark' })
          : this.#choice(index, translator.text('photo.face', { number: order + 1 }));
      return placed(mark, markPlace(box, photo));
    });
    return [picture, ...marks];
  }

  /**
   * @param {number} face
   * @param {string} label
   */
  #choice(face, label) {
    const choice = element('button', { type: 'button', className: 'mark', value: String(face), title: label });
    choice.addEventListener('click', () => this.onchoose(face));
    return choice;
  }
}

customElements.define('marked-photo', MarkedPhoto);
