// @ts-check
import { isLanguage, Translator } from './i18n.js';
import { listenForPhotos } from './intake.js';

// What the page needs to be used, however slow the line is: its language, and that photos are taken.
// All else comes after it.

const translator = new Translator();
/** @type {Promise<import('./app.js').App> | null} */
let app = null;

const input = /** @type {HTMLInputElement} */ (document.querySelector('#file'));
const languages = [...document.querySelectorAll('[data-language]')];
for (const choice of languages) {
  choice.addEventListener('click', () => {
    const language = choice.getAttribute('data-language') ?? '';
    if (isLanguage(language)) {
      translator.remember(language);
      speak();
    }
  });
}
speak();
listenForPhotos(input, (file) => void loaded().then((page) => page.choosePhoto(file), complain));
for (const button of document.querySelectorAll('.use-camera')) {
  button.addEventListener('click', () => void loaded().then((page) => page.useCamera(), complain));
}
performance.mark('usable');
// Whoever needs it hears if it does not come.
loaded().catch(() => {});

/** The rest of the page; asked for again if it did not come. */
function loaded() {
  app ??= import('./app.js').then(({ App }) => new App(translator));
  app.catch(() => {
    app = null;
  });
  return app;
}

/** Shows everything in the translator's language. */
function speak() {
  for (const choice of languages) {
    choice.setAttribute('aria-pressed', String(choice.getAttribute('data-language') === translator.language));
  }
  translator.translateDocument();
  void app?.then((page) => page.render());
}

/** The line broke before the rest of the page was here. */
function complain() {
  const problem = navigator.onLine ? 'noNetwork' : 'offline';
  const place = document.querySelector('#start-problem');
  const box = Object.assign(document.createElement('p'), {
    className: 'problem',
    textContent: `${translator.text(`problem.${problem}.title`)} ${translator.text('problem.noNetwork.advice')}`,
  });
  box.role = 'alert';
  place?.replaceChildren(box);
}
