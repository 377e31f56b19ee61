import { Option } from './model.js';
import type { Package, Section } from './model.js';

/*
 * What libuci does to a package in memory, one function per change, without addresses, checks of
 * names, or staging. The parser and the staged changes share them.
 */

/** Sets an option. One that exists keeps its place; a list becomes a string. */
export function setOption(section: Section, name: string, value: string, line?: number): void {
  const old = section.options.get(name);
  if (old === undefined) section.options.add(new Option(name, value, line));
  else old.assign(value, line);
}

/** Appends to a list; an option that is a string becomes a list of two. */
export function appendItem(section: Section, name: string, item: string, line?: number): void {
  const old = section.options.get(name);
  if (old === undefined) section.options.add(new Option(name, [item], line));
  else old.append(item, line);
}

/**
 * Changes a section's type in place. An anonymous section whose new type has another length
 * becomes a named one with its made-up name: libuci makes it anew then.
 */
export function setType(section: Section, type: string): void {
  if (section.type === type) return;
  if (section.type.length !== type.length) section.anonymous = false;
  section.type = type;
}

/** Moves a section to a position, from 0; what is beyond the end is the end. Tells if it moved. */
export function moveSection(owner: Package, section: Section, position: number): boolean {
  const { sections } = owner;
  const from = sections.indexOf(section);
  sections.splice(from, 1);
  const to = Math.min(Math.max(position, 0), sections.length);
  sections.splice(to, 0, section);
  return to !== from;
}
