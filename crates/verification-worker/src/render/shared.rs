//! Renditions that several detectors want of one file: each is made once.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use assay_detectors::render::{RenderError, Rendered};
use assay_detectors::{Renderer, Rendition};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// What became of a rendition. Whoever comes while it is made waits for it.
type Made = Arc<OnceCell<Result<Rendered, RenderError>>>;

/// A renderer that keeps what it made of a file for as long as somebody asks about the file. Clones share it.
#[derive(Clone)]
pub(crate) struct Shared {
    renderer: Arc<dyn Renderer>,
    files: Arc<Mutex<Vec<Place>>>,
}

/// An open file, and what was made of it.
struct Place {
    file: Arc<File>,
    made: HashMap<Rendition, Made>,
}

/// Has renditions of a file kept until it is dropped.
pub(crate) struct Kept {
    file: Arc<File>,
    files: Arc<Mutex<Vec<Place>>>,
}

impl Shared {
    /// What `renderer` makes, shared.
    pub(crate) fn new(renderer: Arc<dyn Renderer>) -> Self {
        Self {
            renderer,
            files: Arc::default(),
        }
    }

    /// From now on, and until the answer is dropped, each rendition of this file is made once.
    #[must_use]
    pub(crate) fn keep(&self, file: &Arc<File>) -> Kept {
        self.files.lock().push(Place {
            file: Arc::clone(file),
            made: HashMap::new(),
        });
        Kept {
            file: Arc::clone(file),
            files: Arc::clone(&self.files),
        }
    }

    /// Where a rendition is kept; nowhere if nobody has its file kept.
    fn made(&self, file: &Arc<File>, rendition: Rendition) -> Option<Made> {
        let mut files = self.files.lock();
        let mut places = files.iter_mut();
        let place = places.find(|place| Arc::ptr_eq(&place.file, file))?;
        let made = place.made.entry(rendition).or_default();
        Some(Arc::clone(made))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut files = self.files.lock();
        files.retain(|place| !Arc::ptr_eq(&place.file, &self.file));
    }
}

#[async_trait]
impl Renderer for Shared {
    async fn render(
        &self,
        file: &Arc<File>,
        rendition: Rendition,
    ) -> Result<Rendered, RenderError> {
        let Some(made) = self.made(file, rendition) else {
            return self.renderer.render(file, rendition).await;
        };
        let make = || async {
            match self.renderer.render(file, rendition).await {
                // Another time the machine may do it; the file stays what it is.
                Err(error @ RenderError::Machine(_)) => Err(error),
                made @ (Ok(_) | Err(RenderError::Undecodable(_))) => Ok(made),
            }
        };
        made.get_or_try_init(make).await?.clone()
    }
}

#[cfg(test)]
mod tests {
    use assay_detectors::render::{Form, Variant};
    use tokio::task::yield_now;

    use super::*;

    const AGAIN: Rendition = Rendition {
        variant: Variant::SavedAgain,
        form: Form::File,
    };
    const SMALLER: Rendition = Rendition {
        variant: Variant::Smaller,
        form: Form::File,
    };

    /// Answers the same each time, after a while, and counts.
    struct Counting {
        answer: Result<Rendered, RenderError>,
        asked: Arc<Mutex<Vec<Rendition>>>,
    }

    #[async_trait]
    impl Renderer for Counting {
        async fn render(
            &self,
            _: &Arc<File>,
            rendition: Rendition,
        ) -> Result<Rendered, RenderError> {
            self.asked.lock().push(rendition);
            yield_now().await;
            self.answer.clone()
        }
    }

    fn shared(answer: Result<Rendered, RenderError>) -> (Shared, Arc<Mutex<Vec<Rendition>>>) {
        let asked = Arc::default();
        let counting = Counting {
            answer,
            asked: Arc::clone(&asked),
        };
        (Shared::new(Arc::new(counting)), asked)
    }

    fn file() -> Arc<File> {
        Arc::new(tempfile::tempfile().unwrap())
    }

    #[tokio::test]
    async fn what_two_want_of_a_file_is_made_once() {
        let picture = Ok(Rendered::File(vec![7]));
        let (shared, asked) = shared(picture.clone());
        let (one, other) = (file(), file());
        let _kept = shared.keep(&one);
        let _other_kept = shared.keep(&other);
        let clone = shared.clone();
        let (first, second) = tokio::join!(shared.render(&one, AGAIN), clone.render(&one, AGAIN));
        assert_eq!((&first, &second), (&picture, &picture));
        assert_eq!(shared.render(&one, AGAIN).await, picture);
        assert_eq!(*asked.lock(), [AGAIN]);
        assert_eq!(shared.render(&one, SMALLER).await, picture);
        assert_eq!(shared.render(&other, AGAIN).await, picture);
        assert_eq!(*asked.lock(), [AGAIN, SMALLER, AGAIN]);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_file_that_nobody_asks_about() {
        let (shared, asked) = shared(Ok(Rendered::File(vec![7])));
        let (one, other) = (file(), file());
        let kept = shared.keep(&one);
        let _other_kept = shared.keep(&other);
        for _ in 0..2 {
            shared.render(&one, AGAIN).await.unwrap();
        }
        drop(kept);
        assert_eq!(shared.files.lock().len(), 1);
        for _ in 0..2 {
            shared.render(&one, AGAIN).await.unwrap();
        }
        assert_eq!(asked.lock().len(), 3);
    }

    #[tokio::test]
    async fn a_file_stays_undecodable_and_a_machine_is_asked_again() {
        let undecodable = RenderError::Undecodable("damaged".to_owned());
        let machine = RenderError::Machine("no process".to_owned());
        for (error, times) in [(undecodable, 1), (machine, 2)] {
            let (shared, asked) = shared(Err(error.clone()));
            let file = file();
            let _kept = shared.keep(&file);
            for _ in 0..2 {
                assert_eq!(shared.render(&file, AGAIN).await, Err(error.clone()));
            }
            assert_eq!(asked.lock().len(), times);
        }
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_making_to_the_next() {
        let (shared, asked) = shared(Ok(Rendered::File(vec![7])));
        let file = file();
        let _kept = shared.keep(&file);
        {
            let mut given_up = shared.render(&file, AGAIN);
            assert!(poll_once(&mut given_up).await.is_none());
        }
        assert!(shared.render(&file, AGAIN).await.is_ok());
        assert_eq!(asked.lock().len(), 2);
    }

    /// What a future has after one poll.
    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
