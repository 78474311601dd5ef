// @ts-check

/**
 * The element of the page with this id.
 *
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new TypeError(`the page has no ${type.name} #${id}`);
  }
  return found;
}

/**
 * A new element with properties and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * A button that does something.
 *
 * @param {string} className
 * @param {string} text
 * @param {() => void} onClick
 */
export function button(className, text, onClick) {
  const made = element('button', { type: 'button', className }, text);
  made.addEventListener('click', onClick);
  return made;
}

/**
 * Places an element; the page's content security policy forbids style attributes, not this.
 *
 * @template {HTMLElement} T
 * @param {T} target
 * @param {import('./geometry.js').Place} place
 * @returns {T}
 */
export function placed(target, place) {
  Object.assign(target.style, place);
  return target;
}
