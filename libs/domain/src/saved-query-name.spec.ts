import { describe, expect, it } from '@jest/globals';
import { newId } from './ids.js';
import { checkSavedQueryName } from './saved-query-name.js';

describe('the name of a saved query', () => {
  it.each(['monthly_sales', 'Sales-2025.v2', '_x', 'a'.repeat(128)])('may be %s', (name) => {
    expect(() => checkSavedQueryName(name)).not.toThrow();
  });

  it.each(['', ' ', '1st', 'a b', 'a/b', 'ä', '.a', 'a'.repeat(129), newId('savedQuery')])(
    'can not be "%s"',
    (name) => {
      expect(() => checkSavedQueryName(name)).toThrow(expect.objectContaining({ code: 'saved_query.name_invalid' }));
    },
  );
});
