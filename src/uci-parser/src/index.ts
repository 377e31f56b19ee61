/**
 * Reads, changes and writes UCI, the configuration files of OpenWrt. Pure: no file is touched
 * here; `uci-parser/node` adds the file system.
 * @module
 */
export { UciError, UciParseError, UciValueError } from './errors.js';
export type { ParseFailure, UciErrorCode, ValueFailure } from './errors.js';
export { Option, Options, Package, Section } from './model.js';
export type { Value } from './model.js';
export type { IntegerRange } from './typed.js';
export { valueError } from './typed.js';
export { mergePackage, parse, parsePackages } from './parse.js';
export type { ImportOptions, ParseOptions, Statement } from './parse.js';
export { exportPackage, exportSection, formatValue, show, showOption, showSection } from './format.js';
export type { ExportOptions, ShowOptions } from './format.js';
export { decodeText, encodeText } from './text.js';
export { parseAddress, resolve } from './address.js';
export type { Address, Target } from './address.js';
export { applyChange, applyDelta, formatChange, formatDelta, parseDelta } from './delta.js';
export type { Applied, Change, Command } from './delta.js';
export * as operations from './operations.js';
export { rewrite } from './rewrite.js';
export { DeltaPath } from './deltapath.js';
export { Store } from './store.js';
export type { StoreOptions } from './loader.js';
export type { LoadedAll } from './store.js';
export type { Files } from './files.js';
export { isName, isPackageName, isType, isValue } from './names.js';
