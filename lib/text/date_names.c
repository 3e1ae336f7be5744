#include "lib/text/date_names.h"

#include <stddef.h>
#include <string.h>

/* Each month's names in English, German, French, Spanish, Italian, Portuguese, Dutch, the Scandinavian languages, Finnish,
 * Polish, Czech, Hungarian, Romanian, Turkish, Indonesian, Russian, Ukrainian and Greek, with the genitives that dates use and common abbreviations;
 * separated by spaces. */
static const char *const months[12] = {
    "jan january janv janvier januar janner jaenner jan enero ene gennaio gen janeiro januari "
    "tammikuu tammikuuta tammi "
    "styczen stycznia sty leden ledna led januar ianuarie ian ocak oca январь января янв сiчень "
    "сiчня січень січня січ "
    "ιανουαριος ιανουαριου ιαν gener januar januára sijecnja sijecanj януари",
    "feb february fevr fevrier fev februar febrero febbraio fevereiro februari helmikuu helmikuuta "
    "helmi "
    "luty lutego lut unor unora uno februarie subat sub февраль февраля фев февр лютии лютого лют "
    "φεβρουαριος φεβρουαριου φεβ feber veljace veljaca febrer февруари",
    "mar march mars mrz marz maerz marzo marco maart mrt marts maaliskuu maaliskuuta maalis "
    "marzec marca brezen brezna bre marcius marc martie mart maret март марта мар березень березня "
    "бер "
    "μαρτιος μαρτιου μαρ marta ozujka ozujak març marc",
    "apr april avr avril abril abr aprile huhtikuu huhtikuuta huhti kwiecien kwietnia kwi "
    "duben dubna dub aprilis aprilie nisan nis апрель апреля апр квiтень квiтня квітень квітня "
    "квіт "
    "απριλιος απριλιου απρ travnja travanj април abril",
    "may mai mayo maggio mag maio mei maj toukokuu toukokuuta touko maja kveten kvetna kve majus "
    "mayis mayıs май маи мая травень травня трав μαιος μαιου μαι svibnja svibanj maig май",
    "jun june juin juni junio giugno giu junho kesakuu kesakuuta kesa czerwiec czerwca cze "
    "cerven cervna cvn junius iunie iun haziran haz июнь июня июн червень червня черв "
    "ιουνιος ιουνιου ιουν lipnja lipanj juny юни",
    "jul july juil juillet juli julio luglio lug julho heinakuu heinakuuta heina lipiec lipca lip "
    "cervenec cervence cvc julius iulie iul temmuz tem июль июля июл липень липня лип "
    "ιουλιος ιουλιου ιουλ srpnja srpanj juliol юли",
    "aug august aout agosto ago augustus augusti elokuu elokuuta elo sierpien sierpnia sie "
    "srpen srpna srp augusztus agustos agu agustus август августа авг серпень серпня серп "
    "αυγουστος αυγουστου αυγ kolovoza kolovoz agost avgust август",
    "sep sept september septembre septiembre setiembre settembre set setembro syyskuu syyskuuta "
    "syys "
    "wrzesien wrzesnia wrz zari zar szeptember szept septembrie eylul eyl сентябрь сентября сен "
    "сент "
    "вересень вересня вер σεπτεμβριος σεπτεμβριου σεπτ σεπ rujna rujan setembre септември "
    "septembar",
    "oct october octobre okt oktober octubre ottobre ott outubro out lokakuu lokakuuta loka "
    "pazdziernik pazdziernika paz rijen rijna rij octombrie ekim eki октябрь октября окт "
    "жовтень жовтня жовт οκτωβριος οκτωβριου οκτ octubre oktobar октомври",
    "nov november novembre noviembre novembro marraskuu marraskuuta marras listopad listopada "
    "lis noiembrie kasim kasım kas ноябрь ноября ноя нояб νοεμβριος νοεμβριου νοε studenoga "
    "studenog studeni ноември novembar",
    "dec december decembre dez dezember diciembre dic dicembre dezembro desember des joulukuu "
    "joulukuuta joulu grudzien grudnia gru prosinec prosince pro decembrie aralik aralık ara "
    "desember "
    "декабрь декабря дек грудень грудня груд δεκεμβριος δεκεμβριου δεκ prosinca prosinac desembre "
    "декември decembar",
};

static const char fillers[] =
    "mon monday tue tues tuesday wed weds wednesday thu thur thurs thursday fri friday sat "
    "saturday sun sunday "
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so "
    "lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim "
    "lunes martes miercoles jueves viernes sabado domingo mie jue vie sab dom "
    "lunedi martedi mercoledi giovedi venerdi sabato domenica gio "
    "segunda terca quarta quinta sexta feira seg ter qua qui sex "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo "
    "mandag tirsdag onsdag torsdag fredag lordag sondag lor son tir ons tor fre "
    "poniedzialek wtorek sroda czwartek piatek sobota niedziela pon wto sro czw pia nie "
    "mar pazartesi pazar sali carsamba persembe cuma cumartesi paz pzt sal car per cum cmt "
    "pondeli utery streda ctvrtek patek sobota nedele po ut st ct pa ne pondelok utorok stvrtok "
    "piatok nedela "
    "luni marti miercuri joi vineri sambata duminica mie joi vin dum "
    "ponedjeljak utorak srijeda cetvrtak petak nedjelja pon uto sri cet pet ned "
    "ponedeljek torek sreda cetrtek petek "
    "maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai ma ti ke to pe la su klo "
    "maanantaina tiistaina keskiviikkona torstaina perjantaina lauantaina sunnuntaina "
    "senin selasa rabu kamis jumat sabtu minggu dilluns dimarts dimecres dijous divendres dissabte "
    "diumenge "
    "понеділок вівторок середа четвер пятниця субота неділя нд "
    "понеделник вторник сряда четвъртък петък събота неделя "
    "sze cs szo sr niedz salı "
    "hetfo kedd szerda csutortok pentek szombat vasarnap "
    "понедельник вторник среда четверг пятница суббота воскресенье пн вт ср чт пт сб вс "
    "κυριακη δευτερα τριτη τεταρτη πεμπτη παρασκευη σαββατο κυρ δευ τρι τετ πεμ παρ σαβ "
    "at on of the um uhr a las de del à le den der il o kl um st nd rd th er г в р kell etc час ч "
    "hod ora ore";

/* Finds a word among words separated by spaces. */
static bool is_among(const char *words, const char *word)
{
    size_t len = strlen(word);

    if (len == 0) /* a mark with nothing under it folds to nothing */
        return false;
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

int kns_date_month(const char *word)
{
    for (int i = 0; i < 12; i++)
        if (is_among(months[i], word))
            return i + 1;
    return 0;
}

bool kns_date_is_filler(const char *word)
{
    return is_among(fillers, word);
}

static const struct {
    const char *name;
    int minutes;
} zones[] = {
    {"utc", 0},     {"gmt", 0},     {"ut", 0},      {"z", 0},      {"wet", 0},    {"est", -300},
    {"edt", -240},  {"et", -300},   {"cst", -360},  {"cdt", -300}, {"ct", -360},  {"mst", -420},
    {"mdt", -360},  {"mt", -420},   {"pst", -480},  {"pdt", -420}, {"pt", -480},  {"at", -240},
    {"akst", -540}, {"akdt", -480}, {"hst", -600},  {"ast", -240}, {"adt", -180}, {"nst", -210},
    {"ndt", -150},  {"brt", -180},  {"brst", -120}, {"art", -180}, {"clt", -240}, {"clst", -180},
    {"cot", -300},  {"bst", 60},    {"west", 60},   {"cet", 60},   {"met", 60},   {"mez", 60},
    {"wat", 60},    {"cest", 120},  {"mest", 120},  {"mesz", 120}, {"eet", 120},  {"sast", 120},
    {"cat", 120},   {"eest", 180},  {"msk", 180},   {"eat", 180},  {"trt", 180},  {"msd", 240},
    {"gst", 240},   {"pkt", 300},   {"ist", 330},   {"npt", 345},  {"ict", 420},  {"wib", 420},
    {"sgt", 480},   {"hkt", 480},   {"pht", 480},   {"myt", 480},  {"awst", 480}, {"wita", 480},
    {"jst", 540},   {"kst", 540},   {"wit", 540},   {"acst", 570}, {"aest", 600}, {"acdt", 630},
    {"aedt", 660},  {"nzst", 720},  {"nzdt", 780},
};

bool kns_date_zone(const char *word, int *ret_minutes)
{
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (strcmp(word, zones[i].name) == 0) {
            *ret_minutes = zones[i].minutes;
            return true;
        }
    }
    if (strlen(word) == 1 && word[0] >= 'a' && word[0] <= 'z' && word[0] != 'j' && word[0] != 't') {
        *ret_minutes = 0;
        return true;
    }
    return false;
}

int kns_date_half(const char *word)
{
    static const char *const halves[2] = {"am 午前 上午 오전 πμ", "pm 午後 下午 오후 μμ"};

    for (int i = 0; i < 2; i++)
        if (is_among(halves[i], word))
            return i + 1;
    return 0;
}
