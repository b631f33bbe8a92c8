//! The contract of every place: the same tests over a directory and over a bucket.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::*;

/// A place to store into, and what keeps it there.
fn directory(options: Options) -> (Blobs, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let blobs = Blobs::open(options, dir.path()).expect("opened");
    (blobs, dir)
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).expect("a prefix")
}

async fn put(blobs: &Blobs, name: &str, value: &[u8]) -> Blob {
    let value = Bytes::copy_from_slice(value);
    let stored = blobs.put(&key(name), NewBlob::default(), value).await;
    stored.expect("stored")
}

async fn get(blobs: &Blobs, name: &str) -> Option<Vec<u8>> {
    let found = blobs.find(&key(name)).await.expect("looked");
    Some(read(&found?, 0..u64::MAX).await)
}

async fn read(found: &Download, range: std::ops::Range<u64>) -> Vec<u8> {
    let chunks: Vec<Bytes> = found.read(range).try_collect().await.expect("read");
    chunks.concat()
}

/// Bytes that neither repeat nor shrink to nothing.
fn noise(length: usize) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(7);
    (0..length).map(|_| dice.u8(0..64)).collect()
}

async fn names(blobs: &Blobs, within: &str, limit: usize) -> Vec<Vec<String>> {
    let mut request = ListRequest {
        is_level: false,
        prefix: prefix(within),
        after: None,
        limit,
    };
    let mut pages = Vec::new();
    loop {
        let page = blobs.list(&request).await.expect("listed");
        pages.push(page.blobs.iter().map(|blob| blob.key.to_string()).collect());
        match page.next {
            Some(next) => request.after = Some(next),
            None => return pages,
        }
    }
}

/// What lies directly below a prefix: of each page the folders, with a slash behind them, then the values.
async fn level(blobs: &Blobs, within: &str, limit: usize) -> Vec<String> {
    let mut request = ListRequest {
        prefix: prefix(within),
        after: None,
        limit,
        is_level: true,
    };
    let mut all = Vec::new();
    loop {
        let page = blobs.list(&request).await.expect("listed");
        all.extend(page.folders.iter().map(|folder| format!("{folder}/")));
        all.extend(page.blobs.iter().map(|blob| blob.key.to_string()));
        match page.next {
            Some(next) => request.after = Some(next),
            None => return all,
        }
    }
}

/// What every place does; the bucket within the tests cannot hold a name within another, nor read on condition.
async fn contract(blobs: &Blobs, nests: bool) {
    values_come_back(blobs).await;
    ranges(blobs).await;
    names_and_prefixes(blobs, nests).await;
    conditions(blobs).await;
    large_values(blobs, nests).await;
    if nests {
        archives(blobs).await;
    }
}

async fn values_come_back(blobs: &Blobs) {
    assert_eq!(get(blobs, "a/1").await, None);
    let new = NewBlob {
        content_type: Some("text/x-log; charset=utf-8".into()),
        notes: Notes([("of".to_owned(), "ü%\n".to_owned())].into()),
        ..NewBlob::default()
    };
    let stored = blobs.put(&key("a/1"), new, "line one\n".into()).await;
    let stored = stored.expect("stored");
    assert_eq!(stored.digest, Some(Digest::of(b"line one\n")));
    assert_eq!(get(blobs, "a/1").await.as_deref(), Some(&b"line one\n"[..]));
    let head = blobs
        .head(&key("a/1"))
        .await
        .expect("looked")
        .expect("there");
    assert_eq!(head.size, 9);
    assert_eq!(head.tag, stored.tag);
    assert_eq!(
        head.content_type.as_deref(),
        Some("text/x-log; charset=utf-8")
    );
    assert_eq!(head.notes, stored.notes);
    put(blobs, "a/1", b"").await;
    assert_eq!(get(blobs, "a/1").await.as_deref(), Some(&b""[..]));
    assert!(blobs.delete(&key("a/1")).await.expect("deleted"));
    assert!(!blobs.delete(&key("a/1")).await.expect("asked"));
    assert_eq!(blobs.head(&key("a/1")).await.expect("looked"), None);
}

async fn ranges(blobs: &Blobs) {
    let value = noise(5_300_000);
    put(blobs, "ranges", &value).await;
    let found = blobs
        .find(&key("ranges"))
        .await
        .expect("looked")
        .expect("there");
    let end = value.len() as u64;
    for range in [
        0..end,
        0..1,
        end - 1..end,
        1_048_575..1_048_577,
        3_000_000..end + 9,
    ] {
        let part = read(&found, range.clone()).await;
        let small = |at| usize::try_from(at).expect("small");
        let (from, until) = (small(range.start), small(range.end.min(end)));
        assert!(part == value[from..until], "{range:?}");
    }
    assert_eq!(read(&found, end..end + 5).await, b"");
    blobs.delete(&key("ranges")).await.expect("deleted");
}

async fn names_and_prefixes(blobs: &Blobs, nests: bool) {
    let mut all = vec!["run/2/a", "run/2/b/c", "run/22/c", "run/2~/%7E d+ü", "x"];
    let mut of_run = vec!["run/2/a", "run/2/b/c"];
    if nests {
        all.push("run/2");
        of_run.insert(0, "run/2");
    }
    for name in &all {
        put(blobs, name, name.as_bytes()).await;
    }
    for name in &all {
        assert_eq!(get(blobs, name).await.as_deref(), Some(name.as_bytes()));
    }
    all.sort_unstable();
    assert_eq!(names(blobs, "", 100).await.concat(), all);
    let pages = names(blobs, "", 2).await;
    assert!(pages.len() == 3 && pages.iter().all(|page| page.len() <= 2));
    assert_eq!(pages.concat(), all);
    assert_eq!(level(blobs, "", 1).await, ["run/", "x"]);
    let within: &[&str] = if nests {
        &["run/2/", "run/22/", "run/2", "run/2~/"]
    } else {
        &["run/2/", "run/22/", "run/2~/"]
    };
    assert_eq!(level(blobs, "run", 2).await, within);
    assert_eq!(level(blobs, "run/2", 9).await, ["run/2/b/", "run/2/a"]);
    assert_eq!(level(blobs, "ru", 9).await, Vec::<String>::new());
    if !nests {
        // Nor can it be asked for a name that others begin with.
        for name in all {
            assert!(blobs.delete(&key(name)).await.expect("deleted"));
        }
        return;
    }
    assert_eq!(names(blobs, "run/2", 2).await.concat(), of_run);
    assert_eq!(
        names(blobs, "nothing", 9).await.concat(),
        Vec::<String>::new()
    );
    let deleted = blobs.delete_below(&prefix("run/2")).await;
    assert_eq!(deleted.expect("deleted"), of_run.len() as u64);
    assert_eq!(
        names(blobs, "run", 9).await.concat(),
        ["run/22/c", "run/2~/%7E d+ü"]
    );
    let deleted = blobs.delete_below(&Prefix::default()).await;
    assert_eq!(deleted.expect("deleted"), 3);
}

async fn conditions(blobs: &Blobs) {
    let only_new = || NewBlob {
        only_new: true,
        ..NewBlob::default()
    };
    for value in [noise(100), noise(9 << 20)] {
        let first = blobs.upload(&key("once"), only_new()).await.expect("begun");
        let mut second = blobs.upload(&key("once"), only_new()).await.expect("begun");
        second.write(value.clone().into()).await.expect("sent");
        second.finish().await.expect("stored");
        let late = blobs.upload(&key("once"), only_new()).await;
        assert!(matches!(late.err(), Some(Error::Exists(_))));
        // Who began first and ends last is told as well.
        let mut first = first;
        first.write(value.clone().into()).await.expect("sent");
        first.write("more".into()).await.expect("sent");
        assert!(matches!(first.finish().await, Err(Error::Exists(_))));
        assert!(get(blobs, "once").await == Some(value));
        blobs.delete(&key("once")).await.expect("deleted");
    }
    let promised = |digest| NewBlob {
        digest: Some(digest),
        ..NewBlob::default()
    };
    put(blobs, "kept", b"before").await;
    let name = key("kept");
    let wrong = blobs.put(&name, promised(Digest::of(b"other")), "this".into());
    assert!(matches!(wrong.await, Err(Error::Digest { .. })));
    assert_eq!(get(blobs, "kept").await.as_deref(), Some(&b"before"[..]));
    let right = blobs.put(&name, promised(Digest::of(b"this")), "this".into());
    right.await.expect("stored");
    assert_eq!(get(blobs, "kept").await.as_deref(), Some(&b"this"[..]));
    blobs.delete(&key("kept")).await.expect("deleted");
}

async fn large_values(blobs: &Blobs, has_conditions: bool) {
    let value = noise(20 << 20);
    put(blobs, "large", b"old").await;
    let mut upload = blobs
        .upload(&key("large"), NewBlob::default())
        .await
        .expect("begun");
    for some in value.chunks(700_001) {
        upload
            .write(Bytes::copy_from_slice(some))
            .await
            .expect("sent");
    }
    assert_eq!(get(blobs, "large").await.as_deref(), Some(&b"old"[..]));
    // Given up: nothing of it is ever seen.
    drop(upload);
    assert_eq!(names(blobs, "", 9).await.concat(), ["large"]);
    assert_eq!(get(blobs, "large").await.as_deref(), Some(&b"old"[..]));
    let reading = blobs
        .find(&key("large"))
        .await
        .expect("looked")
        .expect("there");
    put(blobs, "large", &value).await;
    assert!(get(blobs, "large").await == Some(value));
    // Who read the old value never gets a part of the new one.
    let old: Result<Vec<Bytes>, Error> = reading.read_all().try_collect().await;
    let is_old = old.is_err() || old.is_ok_and(|old| old.concat() == b"old");
    assert!(is_old || !has_conditions);
    blobs.delete(&key("large")).await.expect("deleted");
}

async fn archives(blobs: &Blobs) {
    let big = noise(3_000_000);
    put(blobs, "z/1/a.log", b"first\n").await;
    put(blobs, "z/1/b/c", &big).await;
    put(blobs, "z/11", b"not in it").await;
    let zip = blobs
        .zip(&prefix("z/1"))
        .await
        .expect("begun")
        .expect("something");
    let bytes: Vec<Bytes> = zip.try_collect().await.expect("an archive");
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(bytes.concat())).expect("read");
    let found: Vec<String> = archive.file_names().map(str::to_owned).collect();
    assert_eq!(found, ["a.log", "b/c"]);
    let mut file = archive.by_name("b/c").expect("there");
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut read).expect("read");
    assert!(read == big);
    assert!(
        blobs
            .zip(&prefix("nothing"))
            .await
            .expect("looked")
            .is_none()
    );
    blobs
        .delete_below(&Prefix::default())
        .await
        .expect("deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_keeps_the_contract() {
    let (blobs, _dir) = directory(Options::default());
    contract(&blobs, true).await;
}

#[tokio::test]
async fn what_is_left_of_uploads_is_removed_and_never_shown() {
    let (blobs, dir) = directory(Options::default());
    let mut upload = blobs
        .upload(&key("a"), NewBlob::default())
        .await
        .expect("begun");
    upload.write(noise(20 << 20).into()).await.expect("sent");
    let staging = dir.path().join("data/.uploads");
    let left = || std::fs::read_dir(&staging).expect("listed").count();
    assert_eq!(left(), 1);
    // As if the process had been killed.
    std::mem::forget(upload);
    let blobs = Blobs::open(Options::default(), dir.path()).expect("opened");
    assert_eq!(left(), 0);
    assert_eq!(names(&blobs, "", 9).await.concat(), Vec::<String>::new());
}

#[tokio::test]
async fn damage_is_told_and_hides_no_other() {
    let (blobs, dir) = directory(Options::default());
    put(&blobs, "a", b"one").await;
    put(&blobs, "b", b"two").await;
    std::fs::write(dir.path().join("data/a~"), "not ours").expect("written");
    let found = blobs.find(&key("a")).await;
    assert!(matches!(found, Err(Error::Damaged { .. })), "{found:?}");
    assert_eq!(names(&blobs, "", 9).await.concat(), ["b"]);
    assert_eq!(get(&blobs, "b").await.as_deref(), Some(&b"two"[..]));
}

#[tokio::test]
async fn sizes_and_accounts_are_bounded() {
    let options = Options {
        most: 100_000,
        quota: Some(120_000),
        ..Options::default()
    };
    let (blobs, _dir) = directory(options);
    let large = blobs
        .put(&key("a/1"), NewBlob::default(), noise(100_001).into())
        .await;
    assert!(matches!(large, Err(Error::TooLarge { most: 100_000 })));
    put(&blobs, "a/1", &noise(100_000)).await;
    let full = blobs
        .put(&key("a/2"), NewBlob::default(), noise(100_000).into())
        .await;
    assert!(matches!(full, Err(Error::Quota { .. })), "{full:?}");
    // Another account has room of its own, and what is deleted is given back.
    put(&blobs, "b/2", &noise(100_000)).await;
    blobs.delete(&key("a/1")).await.expect("deleted");
    put(&blobs, "a/2", &noise(100_000)).await;
    // The same again takes its place, not more room.
    put(&blobs, "b/2", &noise(30_000)).await;
    put(&blobs, "b/3", &noise(80_000)).await;
}

#[tokio::test]
async fn what_is_old_or_too_much_is_dropped() {
    let retention = Retention {
        age: Some(Duration::from_hours(1)),
        bytes: None,
    };
    let (blobs, dir) = directory(Options {
        retention,
        ..Options::default()
    });
    put(&blobs, "old", b"1").await;
    put(&blobs, "new", b"2").await;
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(2);
    let file = std::fs::File::options()
        .write(true)
        .open(dir.path().join("data/old~"));
    file.expect("opened").set_modified(long_ago).expect("set");
    assert_eq!(blobs.sweep(Time::now()).await.expect("swept"), 1);
    assert_eq!(names(&blobs, "", 9).await.concat(), ["new"]);

    let retention = Retention {
        age: None,
        bytes: Some(150_000),
    };
    let (blobs, dir) = directory(Options {
        retention,
        ..Options::default()
    });
    for (age, name) in [(3, "c"), (2, "a"), (1, "b")] {
        put(&blobs, name, &noise(80_000)).await;
        let then = std::time::SystemTime::now() - Duration::from_hours(age);
        let path = dir.path().join(format!("data/{name}~"));
        let file = std::fs::File::options()
            .write(true)
            .open(path)
            .expect("opened");
        file.set_modified(then).expect("set");
    }
    assert_eq!(blobs.sweep(Time::now()).await.expect("swept"), 1);
    assert_eq!(names(&blobs, "", 9).await.concat(), ["a", "b"]);
}

#[cfg(feature = "s3")]
mod in_a_bucket {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use s3s::auth::SimpleAuth;
    use s3s::service::S3ServiceBuilder;

    use super::*;

    const ID: &str = "an-id";
    const SECRET: &str = "a-secret";

    /// An S3 of our own, with one bucket.
    async fn server(dir: &Path) -> String {
        std::fs::create_dir(dir.join("bucket")).expect("a bucket");
        let files = s3s_fs::FileSystem::new(dir).expect("files");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ID, SECRET));
        let service = builder.build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let builder = Builder::new(TokioExecutor::new());
                    let _ = builder
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        format!("http://{address}")
    }

    fn bucket(endpoint: String, compress: bool) -> Options {
        Options {
            s3: Some(S3 {
                bucket: "bucket".into(),
                prefix: "some/where".into(),
                endpoint: Some(endpoint),
                region: "us-east-1".into(),
                path_style: true,
                compress,
                access_key_id: Some(ID.into()),
                secret_access_key: Some(SECRET.into()),
                session_token: None,
            }),
            ..Options::default()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bucket_keeps_the_contract() {
        let dir = tempfile::tempdir().expect("a directory");
        let endpoint = server(dir.path()).await;
        for compress in [false, true] {
            let (blobs, _dir) = directory(bucket(endpoint.clone(), compress));
            contract(&blobs, false).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn links_lead_past_the_service_to_what_lies_there_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let endpoint = server(dir.path()).await;
        let lasts = Duration::from_mins(5);
        let (plain, _dir) = directory(bucket(endpoint.clone(), false));
        put(&plain, "a b+ü", b"as it is").await;
        let link = plain
            .presigned(&key("a b+ü"), Permit::Download, lasts)
            .await;
        let link = link.expect("asked").expect("a link");
        assert!(
            link.starts_with(&format!("{endpoint}/bucket/some/where/a%20b%2B%C3%BC?")),
            "{link}"
        );
        let upload = plain.presigned(&key("new"), Permit::Upload, lasts).await;
        assert!(upload.expect("asked").is_some());
        let (compressed, _dir) = directory(bucket(endpoint, true));
        put(&compressed, "small", b"not as it is").await;
        let link = compressed
            .presigned(&key("small"), Permit::Download, lasts)
            .await;
        assert_eq!(link.expect("asked"), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bucket_that_is_away_is_told() {
        let (blobs, _dir) = directory(bucket("http://127.0.0.1:9".into(), false));
        assert!(matches!(blobs.ping().await, Err(Error::Place(_))));
        assert!(matches!(blobs.head(&key("a")).await, Err(Error::Place(_))));
    }
}
