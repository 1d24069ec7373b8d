import { isBuiltin } from 'node:module';
import ts from 'typescript';

const RESOLVED = /(?:import\.meta|createRequire\(import\.meta\.url\)|\brequire)\.resolve\(\s*(['"])([^'"]+)\1/g;

/** Every module a source names: import, export … from, import(), require(), require.resolve(), import.meta.resolve(). */
export function importsOf(source) {
  const named = ts.preProcessFile(source, true, true).importedFiles.map((file) => file.fileName);
  const resolved = [...source.matchAll(RESOLVED)].map((match) => match[2]);
  return [...new Set([...named, ...resolved])];
}

export const isRelative = (specifier) => specifier.startsWith('.') || specifier.startsWith('/');

/** `@scope/name/deep/file` → `@scope/name`; undefined for relative paths and for what Node brings. */
export function packageOf(specifier) {
  if (isRelative(specifier) || specifier.startsWith('#') || isBuiltin(specifier)) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
