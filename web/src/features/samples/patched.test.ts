import { expect, it } from 'vitest'
import type { Sample } from '@/api/types'
import { patched } from './patched'

const sample = (id: string, status: Sample['status']) => ({ id, status }) as Sample
const LIST = [sample('a', 'completed'), sample('b', 'processing')]

it('changes one sample and leaves the others the same objects', () => {
  const after = patched(LIST, 'b', { status: 'completed' })
  expect(after[1]).toEqual(sample('b', 'completed'))
  expect(after[0]).toBe(LIST[0])
})

it('gives back the very list when nothing in it changes', () => {
  expect(patched(LIST, 'b', { status: 'processing' })).toBe(LIST)
  expect(patched(LIST, 'elsewhere', { status: 'failed' })).toBe(LIST)
})
