//! Pages of jobs. A page is merged from the lists of its kinds and states, each in order already, so it
//! costs what its own jobs cost however many others there are.

use std::collections::BTreeSet;

use assay_core::id::JobId;
use assay_core::job::Job;
use assay_core::kind::JobKind;
use assay_core::port::{Cursor, ListRequest, PAGE_SIZE_MAX, Page};
use assay_core::state::JobState;
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase};

use super::disk::{Fault, fault};
use super::parts::{Malformed, StoredRecord};
use super::shelf::{Place, Shelf};
use super::tables::{ENDED, ENDED_LIST, PlaceKey, list_prefix, place_behind, place_key, place_of};

/// Jobs of one list, newest first.
type Source<'a> = std::iter::Peekable<Box<dyn Iterator<Item = Result<Place, Fault>> + 'a>>;

/// The page that `request` asks for.
pub(super) fn page(
    shelf: &Shelf,
    database: &Database,
    request: &ListRequest,
) -> Result<Page, Fault> {
    let (from, before) = bounds(request);
    if from >= before {
        return Ok(Page {
            jobs: Vec::new(),
            next: None,
        });
    }
    let read = database.begin_read().map_err(fault)?;
    let mut sources = Vec::new();
    for kind in chosen(&request.kinds, &JobKind::ALL) {
        for state in chosen(&request.states, &JobState::ALL) {
            let in_memory = shelf.list(&request.tenant, kind, state);
            sources.extend(in_memory.map(|places| memory_source(places, from, before)));
            if state.is_terminal() {
                let prefix = list_prefix(request.tenant.as_str(), kind as u8, state as u8);
                sources.push(table_source(&read, shelf, &prefix, from, before)?);
            }
        }
    }
    let size = request.page_size.clamp(1, PAGE_SIZE_MAX);
    let ended = read.open_table(ENDED).map_err(fault)?;
    let mut jobs = Vec::with_capacity(size.min(64));
    let mut next = None;
    while let Some(place) = take_newest(&mut sources)? {
        if jobs.len() == size {
            next = jobs.last().map(cursor);
            break;
        }
        jobs.push(job(shelf, &ended, place)?);
    }
    Ok(Page { jobs, next })
}

fn cursor(job: &Job) -> Cursor {
    Cursor {
        created_at_ms: job.times.created_at_ms,
        job_id: job.id,
    }
}

/// From the first place, up to but not including the second.
fn bounds(request: &ListRequest) -> (Place, Place) {
    let first = JobId::from_bytes([0; 16]);
    let from = (request.created_from_ms.unwrap_or(0), first);
    let before = (request.created_before_ms.unwrap_or(u64::MAX), first);
    let cursor = request
        .cursor
        .map(|cursor| (cursor.created_at_ms, cursor.job_id));
    (from, cursor.map_or(before, |cursor| cursor.min(before)))
}

/// The wanted ones, each once; all if none is named.
fn chosen<T: Copy + PartialEq>(wanted: &[T], all: &[T]) -> Vec<T> {
    let wants = |one: &T| wanted.is_empty() || wanted.contains(one);
    all.iter().copied().filter(wants).collect()
}

fn memory_source(places: &BTreeSet<Place>, from: Place, before: Place) -> Source<'_> {
    let places = places.range(from..before).rev().map(|place| Ok(*place));
    let source: Box<dyn Iterator<Item = _>> = Box::new(places);
    source.peekable()
}

fn table_source<'a>(
    read: &ReadTransaction,
    shelf: &'a Shelf,
    prefix: &[u8],
    from: Place,
    before: Place,
) -> Result<Source<'a>, Fault> {
    let key = |(created_at_ms, id): Place| {
        let mut key = prefix.to_vec();
        place_behind(&mut key, created_at_ms, id);
        key
    };
    let table = read.open_table(ENDED_LIST).map_err(fault)?;
    let rows = table
        .range::<&[u8]>(key(from).as_slice()..key(before).as_slice())
        .map_err(fault)?;
    let places = rows.rev().filter_map(|row| match row {
        Err(error) => Some(Err(fault(error))),
        Ok((key, _)) => match place_of(key.value()) {
            None => Some(Err(Malformed("a key of a list is cut short").into())),
            // Put back by hand a moment ago: memory has it where it is now.
            Some((_, id)) if shelf.get(id).is_some() => None,
            Some(place) => Some(Ok(place)),
        },
    });
    let source: Box<dyn Iterator<Item = _> + 'a> = Box::new(places);
    Ok(source.peekable())
}

/// Takes the newest place of all sources.
fn take_newest(sources: &mut [Source<'_>]) -> Result<Option<Place>, Fault> {
    let mut newest: Option<(usize, Place)> = None;
    for (index, source) in sources.iter_mut().enumerate() {
        match source.peek() {
            Some(Ok(place)) if newest.is_none_or(|(_, found)| *place > found) => {
                newest = Some((index, *place));
            }
            Some(Err(_)) => {
                newest = Some((index, (0, JobId::from_bytes([0; 16]))));
                break;
            }
            Some(Ok(_)) | None => {}
        }
    }
    let source = newest.and_then(|(index, _)| sources.get_mut(index));
    source.and_then(Iterator::next).transpose()
}

fn job(
    shelf: &Shelf,
    ended: &ReadOnlyTable<PlaceKey, &'static [u8]>,
    (created_at_ms, id): Place,
) -> Result<Job, Fault> {
    if let Some(entry) = shelf.get(id) {
        return Ok(Job::clone(&entry.job));
    }
    let row = ended.get(&place_key(created_at_ms, id)).map_err(fault)?;
    let row = row.ok_or(Malformed("a listed job is missing"))?;
    let (record, _) = StoredRecord::read(row.value())?;
    Ok(record.job()?)
}
