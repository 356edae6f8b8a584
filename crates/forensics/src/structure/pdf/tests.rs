use proptest::prelude::*;

use super::*;
use crate::evidence::Evidence;
use crate::samples::{self, Pdf};

fn look_within(bytes: &[u8], limits: &Limits) -> (PdfLayout, Structure) {
    let mut structure = Structure::default();
    let layout = walk(bytes, limits, &mut structure).expect("has an object");
    (layout, structure)
}

fn look(pdf: &Pdf) -> (PdfLayout, Structure) {
    look_within(&pdf.bytes, &Limits::default())
}

fn facts(structure: &Structure) -> Vec<&str> {
    structure.facts.iter().map(|f| f.fact.as_str()).collect()
}

fn detail<'a>(structure: &'a Structure, fact: &str) -> &'a str {
    let found = structure.facts.iter().find(|known| known.fact == fact);
    &found.expect(fact).detail
}

fn finding(pdf: &Pdf) -> (String, f64) {
    let evidence = after_signature(&look(pdf).0).expect("signed");
    let manipulated = evidence.log10_lr().manipulated;
    (evidence.finding, manipulated)
}

#[test]
fn a_plain_document_has_no_history() {
    let pdf = Pdf::page().end("");
    let (layout, structure) = look(&pdf);
    assert_eq!((layout.version.as_str(), layout.objects), ("1.7", 5));
    assert_eq!((layout.revisions, layout.trailing_bytes), (1, 0));
    assert!(!layout.is_broken && !layout.has_loop && !layout.is_encrypted);
    assert!(structure.facts.is_empty(), "{:?}", structure.facts);
    assert_eq!(after_signature(&layout), None);
}

#[test]
fn description_and_revisions_are_told() {
    let first = "<</Producer(Skia/PDF m115)/CreationDate(D:20240101000000Z)>>";
    let last = "<</Producer(iLovePDF)/Creator(\\376\\377\\000W)/CreationDate(D:20240101000000Z)/ModDate(D:20240203040506+01'00')>>";
    let pdf = Pdf::page()
        .object(9, first)
        .end("/Info 9 0 R")
        .object(9, last)
        .end("/Info 9 0 R");
    let (layout, structure) = look(&pdf);
    assert_eq!(layout.revisions, 2);
    assert_eq!(layout.producer.as_deref(), Some("iLovePDF"));
    assert_eq!(layout.creator.as_deref(), Some("W"));
    let software: Vec<&str> = structure.tags.iter().map(|t| t.value.as_str()).collect();
    assert_eq!(software, ["W", "iLovePDF"]);
    assert_eq!(facts(&structure), ["revisions", "document_dates"]);
    assert_eq!(
        detail(&structure, "document_dates"),
        "made 2024-01-01T00:00:00Z, changed 2024-02-03T04:05:06+01:00, as it says"
    );
}

#[test]
fn a_signature_over_all_is_told_without_a_verdict() {
    let pdf = Pdf::page().signed(7, "");
    let (layout, structure) = look(&pdf);
    let signature = &layout.signatures[0];
    assert_eq!(signature.sub_filter, "adbe.pkcs7.detached");
    assert!(signature.is_whole && signature.covers_file);
    assert_eq!(signature.covered_bytes, pdf.bytes.len() as u64);
    assert_eq!(
        detail(&structure, "signatures"),
        "1 signatures; the whole file is covered; the cryptography of signatures in PDF is not verified"
    );
    assert_eq!(finding(&pdf), ("none".to_owned(), 0.0));
}

#[test]
fn changed_page_content_behind_a_signature_weighs() {
    let signed = Pdf::page().signed(7, "");
    let other_stream = signed.clone().stream(4, "", b"BT (999 EUR) Tj ET").end("");
    let other_page = signed
        .clone()
        .object(
            3,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 8 0 R>>",
        )
        .stream(8, "", b"BT (999 EUR) Tj ET")
        .end("");
    let more_pages = signed
        .clone()
        .object(2, "<</Type/Pages/Kids[3 0 R 8 0 R]/Count 2>>")
        .object(
            8,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        )
        .end("");
    let other_pages = signed.object(1, "<</Type/Catalog/Pages 8 0 R>>").end("");
    for pdf in [other_stream, other_page, more_pages, other_pages] {
        assert_eq!(finding(&pdf), ("page_content_changed".to_owned(), 3.0));
        let (layout, structure) = look(&pdf);
        assert!(!layout.signatures[0].covers_file);
        assert!(layout.uncovered_bytes > 0);
        assert!(detail(&structure, "after_signature").contains("page content ("));
    }
}

#[test]
fn changed_resources_weigh_less() {
    let pdf = Pdf::page()
        .signed(7, "")
        .object(5, "<</Type/Font/Subtype/Type1/BaseFont/Courier>>")
        .end("");
    assert_eq!(finding(&pdf), ("resources_changed".to_owned(), 1.0));
    let picture = Pdf::page()
        .stream(6, "/Subtype/Image", b"one")
        .signed(7, "")
        .stream(6, "/Subtype/Image", b"two")
        .end("");
    assert_eq!(finding(&picture), ("resources_changed".to_owned(), 1.0));
}

#[test]
fn what_pages_reach_by_another_object_counts() {
    let document = Pdf::new()
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
        .object(3, "<</Type/Page/Contents 4 0 R/Resources 5 0 R>>")
        .object(4, "[6 0 R]")
        .object(5, "<</Font<</F 8 0 R>>>>")
        .stream(6, "", b"(100 EUR)")
        .object(8, "<</Type/Font/BaseFont/Helvetica>>")
        .signed(7, "");
    let content = document.clone().stream(6, "", b"(999 EUR)").end("");
    assert_eq!(finding(&content).0, "page_content_changed");
    let font = document
        .object(8, "<</Type/Font/BaseFont/Courier>>")
        .end("");
    assert_eq!(finding(&font).0, "resources_changed");
}

#[test]
fn the_same_page_in_other_words_weighs_nothing() {
    let pdf = Pdf::page()
        .signed(7, "")
        .object(
            3,
            "<</Contents[4 0 R]/Type/Page/Parent 2 0 R/MediaBox[0 0 9.0 9.0]/Annots[]>>",
        )
        .object(5, "<< /BaseFont /Helvetica /Type /Font /Subtype /Type1 >>")
        .end("");
    assert_eq!(finding(&pdf), ("none".to_owned(), 0.0));
}

#[test]
fn permitted_additions_weigh_nothing() {
    let signed = Pdf::page()
        .object(
            6,
            "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/AP<</N 10 0 R>>>>",
        )
        .stream(10, "/Subtype/Form", b"empty")
        .signed(7, "");
    let comment = signed
        .clone()
        .object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>/Annots[8 0 R]>>")
        .object(8, "<</Type/Annot/Subtype/Highlight/Rect[0 0 1 1]>>")
        .end("");
    let form = signed
        .clone()
        .object(
            6,
            "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Ada)/AP<</N 10 0 R>>>>",
        )
        .stream(10, "/Subtype/Form", b"Ada")
        .end("");
    let checks = signed
        .clone()
        .object(1, "<</Type/Catalog/Pages 2 0 R/DSS 8 0 R>>")
        .object(8, "<</Type/DSS/Certs[11 0 R]>>")
        .stream(11, "", b"certificate")
        .end("");
    let again = signed.clone().signed(12, "");
    let same = signed.stream(4, "", b"BT (100 EUR) Tj ET").end("");
    for pdf in [comment, form, checks, again] {
        assert_eq!(finding(&pdf), ("additions".to_owned(), 0.0));
    }
    assert_eq!(finding(&same), ("none".to_owned(), 0.0));
}

#[test]
fn a_later_signature_does_not_hide_what_changed_before_it() {
    let pdf = Pdf::page()
        .signed(7, "")
        .stream(4, "", b"BT (999 EUR) Tj ET")
        .signed(8, "");
    let (layout, _) = look(&pdf);
    assert!(
        layout
            .signatures
            .iter()
            .any(|signature| signature.covers_file)
    );
    assert_eq!(finding(&pdf).0, "page_content_changed");
}

#[test]
fn more_than_a_signature_permits_is_told() {
    let told = |level: u8, object: &str| {
        let reference =
            format!("/Reference[<</TransformMethod/DocMDP/TransformParams<</P {level}>>>>]");
        let pdf = Pdf::page().signed(7, &reference).object(8, object).end("");
        facts(&look(&pdf).1).contains(&"not_permitted")
    };
    let comment = "<</Type/Annot/Subtype/Highlight/Rect[0 0 1 1]>>";
    let field = "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)>>";
    assert!(told(1, comment) && told(2, comment) && !told(3, comment));
    assert!(told(1, field) && !told(2, field) && !told(3, field));
}

#[test]
fn a_gap_beside_the_signature_is_told_and_proves_nothing() {
    let mut pdf = Pdf::page().signed(7, "");
    let at = pdf
        .bytes
        .windows(12)
        .position(|part| part == b"/ByteRange[0")
        .expect("signed");
    // One byte more is left out before the contents.
    let first: usize = std::str::from_utf8(&pdf.bytes[at + 13..at + 23])
        .expect("digits")
        .parse()
        .expect("a number");
    pdf.bytes[at + 13..at + 23].copy_from_slice(format!("{:010}", first - 1).as_bytes());
    let pdf = pdf.stream(4, "", b"BT (999 EUR) Tj ET").end("");
    let (layout, structure) = look(&pdf);
    assert!(!layout.signatures[0].is_whole && layout.added.is_none());
    assert!(facts(&structure).contains(&"signature_gap"));
    let evidence = after_signature(&layout).expect("signed");
    assert!(!evidence.applicable);
}

#[test]
fn what_does_something_is_told() {
    let pdf = Pdf::new()
        .object(
            1,
            "<</Type/Catalog/OpenAction<</S/Java#53cript/JS(app.alert(1))>>>>",
        )
        .object(2, "<</S/Launch/F(calc.exe)>>")
        .end("");
    assert_eq!(
        detail(&look(&pdf).1, "active_content"),
        "parts that do something: JavaScript (1), Launch (1), OpenAction (1)"
    );
}

#[test]
fn pictures_and_descriptions_are_located() {
    let jpeg = samples::jpeg(90);
    let packet = samples::xmp("xmp:CreatorTool='T'", "");
    let pdf = Pdf::new()
        .object(1, "<</Type/Catalog/Metadata 2 0 R>>")
        .stream(2, "/Type/Metadata/Subtype/XML", packet.as_bytes())
        .stream(
            3,
            "/Subtype/Image/Width 96/Height 64/Filter/DCTDecode",
            &jpeg,
        )
        .stream(4, "/Subtype/Image/Filter[/FlateDecode/DCTDecode]", &jpeg)
        .stream(5, "/Type/Metadata/Subtype/XML", b"of a picture")
        .end("");
    let (layout, structure) = look(&pdf);
    assert_eq!(layout.jpeg_streams.len(), 1);
    let stream = layout.jpeg_streams[0];
    assert_eq!((stream.object, stream.width, stream.height), (3, 96, 64));
    assert_eq!(stream.span.slice(&pdf.bytes), jpeg);
    assert_eq!(structure.blocks.len(), 1);
    assert_eq!(structure.blocks[0].kind, BlockKind::Xmp);
    assert_eq!(structure.blocks[0].slice(&pdf.bytes), packet.as_bytes());
    assert_eq!(facts(&structure), ["jpeg_pictures"]);
}

#[test]
fn packed_objects_are_seen() {
    let inner = b"6 0 <</S/JavaScript/JS(x)>>";
    let pdf = Pdf::page()
        .stream(
            8,
            "/Type/ObjStm/N 1/First 4/Filter/FlateDecode",
            &samples::zlib(inner),
        )
        .end("");
    let (layout, structure) = look(&pdf);
    assert_eq!(layout.objects, 7);
    assert_eq!(facts(&structure), ["active_content"]);
}

#[test]
fn an_encrypted_document_is_walked_and_not_read() {
    let pdf = Pdf::page()
        .object(9, "<</Producer(unreadable)>>")
        .stream(8, "/Type/ObjStm/N 1/First 4", b"6 0 <</S/Launch>>")
        .end("/Info 9 0 R/Encrypt 10 0 R");
    let (layout, structure) = look(&pdf);
    assert!(layout.is_encrypted && layout.producer.is_none());
    assert_eq!(facts(&structure), ["unread_objects", "encrypted"]);
}

#[test]
fn what_stands_around_the_document_is_told() {
    let mut pdf = Pdf::page().end("");
    pdf.bytes.extend(b"\r\nPK\x03\x04rest");
    let (layout, structure) = look(&pdf);
    assert_eq!(layout.trailing_bytes, 8);
    assert!(detail(&structure, "trailing_data").ends_with("application/zip"));
    let late = [b"\0\0junk".as_slice(), &Pdf::page().end("").bytes].concat();
    let (layout, structure) = look_within(&late, &Limits::default());
    assert_eq!((layout.header_at, layout.is_broken), (6, false));
    assert_eq!(facts(&structure), ["late_header"]);
    let cut = Pdf::page();
    assert_eq!(facts(&look(&cut).1), ["truncated", "xref_broken"]);
}

#[test]
fn a_header_without_objects_is_damaged() {
    for bytes in [b"%PDF-1.7\n".as_slice(), b"%PDF-1.7\n1 0 obj (open"] {
        let refusal = walk(bytes, &Limits::default(), &mut Structure::default());
        assert_eq!(refusal.expect_err("nothing").class(), "corrupt_media");
    }
}

#[test]
fn tables_that_run_in_a_circle_are_told() {
    let pdf = Pdf::page().end("");
    let at = pdf.bytes.len();
    let circle = format!("xref\n0 0\ntrailer<</Prev {at}>>\nstartxref\n{at}\n%%EOF\n");
    let bytes = [pdf.bytes, circle.into_bytes()].concat();
    let (layout, structure) = look_within(&bytes, &Limits::default());
    assert!(layout.has_loop);
    assert!(facts(&structure).contains(&"xref_loop"));
}

#[test]
fn objects_are_bounded_packed_or_not() {
    let limits = Limits {
        pdf_objects_max: 7,
        ..Limits::default()
    };
    let hits = |pdf: &Pdf| look_within(&pdf.bytes, &limits).1.limits.len();
    let page = Pdf::page();
    let six = page.clone().object(6, "1");
    let seven = six.object(7, "1");
    let eight = seven.clone().object(8, "1");
    assert_eq!((hits(&seven), hits(&eight)), (0, 1));
    let packed = |n: usize| {
        let inner = [b"8 0 9 3 ".as_slice(), b"1  2  "].concat();
        let entries = format!("/Type/ObjStm/N {n}/First 8");
        page.clone().stream(6, &entries, &inner)
    };
    assert_eq!((hits(&packed(1)), hits(&packed(2))), (0, 1));
}

#[test]
fn signatures_beyond_the_bound_are_counted_and_told() {
    let signed = |n: usize| {
        let signature = |pdf: Pdf, _| pdf.object(1, "<</ByteRange[0 1 2 3]>>");
        look(&(0..n).fold(Pdf::new(), signature))
    };
    let told = |n: usize| {
        let (layout, structure) = signed(n);
        let hits = structure.limits.iter();
        let hits: Vec<_> = hits.map(|hit| (hit.limit.clone(), hit.max)).collect();
        let noted = (layout.signatures.len(), layout.signatures_left_out);
        let detail = detail(&structure, "signatures");
        let says_so = detail.contains("covered by none of the first 64, and the others were not");
        (
            noted,
            detail.starts_with(&format!("{n} signatures; ")),
            says_so,
            hits,
        )
    };
    let hit = || vec![("pdf_signatures_max".to_owned(), 64)];
    assert_eq!(told(64), ((64, 0), true, false, Vec::new()));
    assert_eq!(told(65), ((64, 1), true, true, hit()));
    assert_eq!(told(66), ((64, 2), true, true, hit()));
}

#[test]
fn pictures_beyond_the_bound_are_counted_and_told() {
    let pictures = |n: usize| {
        let picture = |pdf: Pdf, _| pdf.stream(1, "/Filter/DCTDecode", b"x");
        look(&(0..n).fold(Pdf::new(), picture))
    };
    let told = |n: usize| {
        let (layout, structure) = pictures(n);
        let hits = structure.limits.iter();
        let hits: Vec<_> = hits.map(|hit| (hit.limit.clone(), hit.max)).collect();
        let noted = (layout.jpeg_streams.len(), layout.jpeg_streams_left_out);
        let detail = detail(&structure, "jpeg_pictures").to_owned();
        // None of them can be read, so all are left out.
        (noted, layout.pictures_left_out, detail, hits)
    };
    let hit = || vec![("pdf_jpeg_streams_max".to_owned(), 256)];
    let all = |n: u32| format!("{n} pictures in JPEG");
    assert_eq!(told(256), ((256, 0), 256, all(256), Vec::new()));
    assert_eq!(told(257), ((256, 1), 257, all(257), hit()));
    assert_eq!(told(258), ((256, 2), 258, all(258), hit()));
}

#[test]
fn hostile_documents_cost_no_more_than_their_bytes() {
    const TIMES: usize = 100_000;
    for part in [
        "1 0 obj<<>>stream\n",
        "1 0 obj(",
        "1 0 obj[[",
        "1 0 obj<</A",
        "startxref 0 %%EOF\n",
        "xref\ntrailer<</Prev 0>>startxref 9\n%%EOF ",
        "1 0 obj<</ByteRange[0 1 2 3]/Contents<00>>>endobj\n",
        "obj ",
        "% ",
    ] {
        let bytes = [
            b"%PDF-1.4\n1 0 obj 1 endobj ".to_vec(),
            part.repeat(TIMES).into_bytes(),
        ]
        .concat();
        let _walked = walk(&bytes, &Limits::default(), &mut Structure::default());
    }
}

#[test]
fn evidence_says_what_it_does_not_know() {
    let pdf = Pdf::page().signed(7, "").stream(4, "", b"x").end("");
    let evidence: Evidence = after_signature(&look(&pdf).0).expect("signed");
    assert_eq!(evidence.weight.cap(), PAGE_CONTENT_LOG10);
    assert!(
        evidence
            .caveats
            .iter()
            .any(|text| text.contains("not verified"))
    );
    assert_eq!(evidence.metrics["page_content"], 1.0);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        at in 0usize..1_200,
        body in prop::collection::vec(
            prop_oneof![prop::sample::select(b"<>[]()/ 0123456789R%\n".to_vec()), any::<u8>()],
            0..60,
        ),
    ) {
        let mut pdf = Pdf::page().signed(7, "").stream(4, "/Type/ObjStm/N 3/First 4", b"1 0 <<>>").end("/Encrypt 3 0 R");
        let at = at.min(pdf.bytes.len());
        let end = (at + body.len() / 2).min(pdf.bytes.len());
        pdf.bytes.splice(at..end, body);
        let walked = walk(&pdf.bytes, &Limits::default(), &mut Structure::default());
        if let Ok(layout) = walked {
            let _evidence = after_signature(&layout);
        }
    }

    #[test]
    fn no_words_make_it_panic(words in prop::collection::vec(
        prop::sample::select(vec![
            "1 0 obj", "2 0 obj", "<<", ">>", "[", "]", "/Type/Page", "/Type/ObjStm/N 9/First 4", "/ByteRange[0 5 9 20]",
            "/Contents<00>", "/Contents 1 0 R", "stream\n", "endstream", "endobj", "startxref 9", "startxref 0", "%%EOF\n",
            "xref\n0 1\n", "trailer", "/Prev 20", "/Length 7", "(", ")", " 1 0 R ", "/Filter/FlateDecode",
        ]),
        0..60,
    )) {
        let bytes = format!("%PDF-1.4\n{}", words.join(" ")).into_bytes();
        let _walked = walk(&bytes, &Limits::default(), &mut Structure::default());
    }
}
