import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { filled, LANGUAGES, pickLanguage } from '../i18n.js';

test("the earlier choice wins, then the browser's first language that the page speaks", () => {
  assert.equal(pickLanguage('en', ['ru-RU']), 'en');
  assert.equal(pickLanguage(null, ['ru-RU', 'en']), 'ru');
  assert.equal(pickLanguage(null, ['de', 'ru', 'en']), 'ru');
  assert.equal(pickLanguage(null, ['RU']), 'ru');
  assert.equal(pickLanguage(null, ['de', 'fr']), 'en');
  assert.equal(pickLanguage(null, []), 'en');
});

test('a saved value that is no language is passed over', () => {
  assert.equal(pickLanguage('toString', ['ru']), 'ru');
  assert.equal(pickLanguage('', ['ru']), 'ru');
});

test('places are filled and unknown ones stay visible', () => {
  assert.equal(filled('{name}: {percent}, {other}', { name: 'Ann', percent: 0 }), 'Ann: 0, {other}');
});

test('every language fills the same places in every message', () => {
  const places = (/** @type {string} */ message) => (message.match(/\{\w+\}/g) ?? []).sort();
  for (const [language, messages] of Object.entries(LANGUAGES)) {
    assert.deepEqual(Object.keys(messages).sort(), Object.keys(LANGUAGES.en).sort(), language);
    for (const [key, message] of Object.entries(LANGUAGES.en)) {
      assert.deepEqual(places(messages[/** @type {keyof typeof messages} */ (key)]), places(message), `${language} ${key}`);
    }
  }
});

test('every text in the document is a message, and its English is what stands there', async () => {
  const html = await readFile(new URL('../index.html', import.meta.url), 'utf8');
  const texts = [...html.matchAll(/data-text="([^"]+)"[^>]*>([^<]*)</g)];
  const labels = [...html.matchAll(/data-label="([^"]+)" aria-label="([^"]*)"/g)];
  assert.equal(texts.length + labels.length, html.match(/data-(text|label)=/g)?.length);
  for (const [, key, text] of [...texts, ...labels]) {
    assert.equal(text, LANGUAGES.en[/** @type {keyof typeof LANGUAGES.en} */ (key)], key);
  }
});
