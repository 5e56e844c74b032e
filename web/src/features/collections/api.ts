import { useMutation, useQuery } from '@tanstack/react-query'
import { library, ok } from '@/api/client'
import { keys } from '@/api/keys'
import { queryClient } from '@/api/query'
import type { Collection, Link, SampleQuery } from '@/api/types'
import { count, startDownload } from '@/features/samples'
import { notify, notifyFailure } from '@/ui/toast'

export function collectionsChanged(): void {
  void queryClient.invalidateQueries({ queryKey: keys.collections })
}

export function useCollections() {
  return useQuery({
    queryKey: keys.collections,
    queryFn: async ({ signal }) => ok(await library().GET('/api/collections', { signal })),
    throwOnError: false,
  })
}

export function useCollection(id: string) {
  return useQuery<Collection>({
    queryKey: keys.collection(id),
    queryFn: async ({ signal }) =>
      ok(
        await library().GET('/api/collections/{collection_id}', {
          params: { path: { collection_id: id } },
          signal,
        }),
      ),
  })
}

export function useCreateCollection() {
  return useMutation({
    mutationFn: async (name: string): Promise<Collection> =>
      ok(await library().POST('/api/collections', { body: { name, description: '' } })),
    onSuccess: collectionsChanged,
  })
}

export function useRenameCollection(id: string) {
  return useMutation({
    mutationFn: async (change: { name?: string; description?: string }): Promise<Collection> =>
      ok(
        await library().PATCH('/api/collections/{collection_id}', {
          params: { path: { collection_id: id } },
          body: change,
        }),
      ),
    onSuccess: collectionsChanged,
  })
}

export function useDeleteCollection(id: string) {
  return useMutation({
    mutationFn: async () => {
      ok(
        await library().DELETE('/api/collections/{collection_id}', {
          params: { path: { collection_id: id } },
        }),
      )
    },
    onSuccess: collectionsChanged,
    onError: (error) => notifyFailure('The collection was not deleted', error),
  })
}

export async function addToCollection(
  collection: Pick<Collection, 'id' | 'name'>,
  sampleIds: string[],
): Promise<void> {
  try {
    const { added } = ok(
      await library().POST('/api/collections/{collection_id}/samples', {
        params: { path: { collection_id: collection.id } },
        body: { sample_ids: sampleIds },
      }),
    )
    notify(added ? `${count(added, 'sample')} added to ${collection.name}` : `Already in ${collection.name}`)
    membersChanged(collection.id)
  } catch (error) {
    notifyFailure(`Nothing was added to ${collection.name}`, error)
  }
}

export async function removeFromCollection(collectionId: string, sampleIds: string[]): Promise<void> {
  try {
    for (const sampleId of sampleIds)
      ok(
        await library().DELETE('/api/collections/{collection_id}/samples/{sample_id}', {
          params: { path: { collection_id: collectionId, sample_id: sampleId } },
        }),
      )
  } finally {
    membersChanged(collectionId)
  }
}

/** The collection's own list, and what the samples' pages say of their collections. The library has not changed. */
function membersChanged(collectionId: string): void {
  collectionsChanged()
  void queryClient.invalidateQueries({ queryKey: [...keys.samples, 'detail'] })
  void queryClient.invalidateQueries({ queryKey: keys.sampleList(inOrder(collectionId)) })
}

/** What lists a collection's samples in its own order. */
export function inOrder(collectionId: string): SampleQuery {
  return { collection: collectionId, sort: 'position' }
}

export async function orderCollection(collectionId: string, sampleIds: string[]): Promise<void> {
  ok(
    await library().PUT('/api/collections/{collection_id}/order', {
      params: { path: { collection_id: collectionId } },
      body: { sample_ids: sampleIds },
    }),
  )
}

export function useExport(collection: Collection | undefined) {
  return useMutation({
    mutationFn: async (): Promise<Link> =>
      ok(
        await library().GET('/api/collections/{collection_id}/export/link', {
          params: { path: { collection_id: collection?.id ?? '' } },
        }),
      ),
    onSuccess: ({ url }) => startDownload(url),
    onError: (error) => notifyFailure('The export could not be started', error),
  })
}
