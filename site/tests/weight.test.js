import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const site = new URL('../', import.meta.url);
const names = (await readdir(site, { recursive: true })).filter(
  (name) => /\.(js|css|html|svg)$/.test(name) && !/^(node_modules|tests)\b/.test(name),
);
const files = await Promise.all(names.map(async (name) => ({ name, text: await readFile(new URL(name, site), 'utf8') })));

test('the whole page, in both languages, is a few dozen kilobytes', () => {
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const packed = files.reduce((sum, { text }) => sum + gzipSync(text).length, 0);
  console.log(`${files.length} files, ${bytes} bytes, ${packed} packed`);
  assert.ok(files.length > 10 && bytes < 105_000 && packed < 40_000);
});

test('nothing is loaded from another host', () => {
  for (const { name, text } of files) {
    const addresses = text.match(/\bhttps?:\/\/[^\s'"`)]+/g) ?? [];
    const foreign = addresses.filter((address) => !/^http:\/\/www\.w3\.org\/|^https:\/\/example\.org\//.test(address));
    assert.deepEqual(foreign.filter((address) => /\w\.\w/.test(address)), [], name);
  }
});

test('the policy of the server is met: no inline script, style or handler', () => {
  for (const { name, text } of files.filter((file) => file.name.endsWith('.html'))) {
    assert.doesNotMatch(text, /<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/, name);
  }
});

test('every module is checked for types', () => {
  for (const { name, text } of files.filter((file) => file.name.endsWith('.js'))) {
    assert.ok(text.startsWith('// @ts-check\n'), name);
  }
});
