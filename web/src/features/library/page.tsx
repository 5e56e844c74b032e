import { getRouteApi } from '@tanstack/react-router'
import { AudioLines, FolderPlus, Plus, SearchX } from 'lucide-react'
import { useCallback, useMemo, useRef } from 'react'
import { GridHeader, SampleGrid } from '@/features/list'
import { ReanalysisNotice } from '@/features/reanalysis'
import { useFacets, useSamples } from '@/features/samples'
import { Pickers } from '@/features/upload'
import { useShortcuts } from '@/shortcuts'
import { Button, IconButton } from '@/ui/button'
import { Empty } from '@/ui/empty'
import { Kbd } from '@/ui/kbd'
import { Menu, MenuItem } from '@/ui/menu'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { activeFilters, DEFAULT_SORT, type Filters, parseFilters, toQuery } from './filters'
import { FilterChips, Toolbar } from './toolbar'

const route = getRouteApi('/member/samples')

export function LibraryPage() {
  useTitle('Samples')
  const filters = route.useSearch()
  const navigate = route.useNavigate()
  const search = useRef<HTMLInputElement>(null)
  const list = useSamples(toQuery(filters))
  const { data: facets } = useFacets()
  const samples = useMemo(() => list.data?.pages.flatMap((page) => page.samples) ?? [], [list.data])
  const total = list.data?.pages[0]?.total

  const change = (some: Partial<Filters>, replace = false) =>
    void navigate({ search: (old) => parseFilters({ ...old, ...some }), replace })
  const reset = () => void navigate({ search: filters.sort ? { sort: filters.sort } : {} })
  useShortcuts({ search: () => search.current?.select() })

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])

  const narrowed = activeFilters(filters).length > 0
  return (
    <div className="flex h-full flex-col">
      <h1 className="sr-only">Samples</h1>
      <div className="flex shrink-0 items-center border-b border-line">
        <div className="min-w-0 flex-1 [&>div]:border-b-0">
          <Toolbar filters={filters} facets={facets} total={total} change={change} search={search} />
        </div>
        <AddMenu />
      </div>
      <ReanalysisNotice />
      <FilterChips filters={filters} change={change} reset={reset} />
      {total === undefined ? (
        <Loading what="your samples" />
      ) : total > 0 ? (
        <SampleGrid
          samples={samples}
          total={total}
          label="Samples"
          memory={`library ${JSON.stringify(filters)}`}
          header={<GridHeader sort={filters.sort ?? DEFAULT_SORT} onSort={(sort) => change({ sort })} />}
          hasMore={hasNextPage}
          onMore={loadMore}
        />
      ) : narrowed ? (
        <Empty
          icon={<SearchX size={22} />}
          title="No sample matches"
          actions={
            <Button look="primary" large onClick={reset}>
              Reset all filters
            </Button>
          }
        >
          Take a filter away, or widen one. In the search, <code className="font-mono text-ink">-word</code>{' '}
          leaves samples out.
        </Empty>
      ) : (
        <FirstSteps />
      )}
    </div>
  )
}

function AddMenu() {
  return (
    <Pickers>
      {(pick) => (
        <div className="pr-3">
          <Menu
            trigger={
              <IconButton label="Add samples" className="bg-accent! text-accent-ink! hover:bg-[#ffa261]!">
                <Plus size={16} strokeWidth={2.5} />
              </IconButton>
            }
          >
            <MenuItem onSelect={pick.files}>
              <AudioLines size={13} /> Add files…
            </MenuItem>
            <MenuItem onSelect={pick.folder}>
              <FolderPlus size={13} /> Add a folder…
            </MenuItem>
            <p className="px-2 pt-1 pb-1.5 text-2xs text-dim">Or drop them anywhere on this page.</p>
          </Menu>
        </div>
      )}
    </Pickers>
  )
}

function FirstSteps() {
  return (
    <Pickers>
      {(pick) => (
        <Empty
          icon={<AudioLines size={22} />}
          title="Drop your samples here"
          actions={
            <>
              <Button look="primary" large onClick={pick.folder}>
                <FolderPlus size={15} /> Add a folder
              </Button>
              <Button large onClick={pick.files}>
                Add files
              </Button>
            </>
          }
        >
          <p>
            Files or whole folders: WAV, AIFF, FLAC, MP3, OGG, Opus, M4A. Each gets its tempo, key, kind and
            loudness within seconds.
          </p>
          <p className="mt-2 text-dim">
            Then <Kbd>↓</Kbd> and <Kbd>↑</Kbd> play through the list, and <Kbd>?</Kbd> shows every other key.
          </p>
        </Empty>
      )}
    </Pickers>
  )
}
